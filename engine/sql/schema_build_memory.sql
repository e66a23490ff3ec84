-- Memory for one index build, for this transaction: 256 MB, or the server's own setting if larger.
SELECT pg_catalog.set_config('maintenance_work_mem',
                             GREATEST(s.setting::pg_catalog.int8, 262144)::pg_catalog.text || 'kB',
                             true)
FROM pg_catalog.pg_settings s WHERE s.name = 'maintenance_work_mem'
