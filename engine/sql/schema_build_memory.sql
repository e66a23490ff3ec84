-- Memory for one index build, for this transaction: 256 MB, or the server's own setting if larger.
SELECT pg_catalog.set_config('maintenance_work_mem',
                             GREATEST(pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) / 1024,
                                      262144)::pg_catalog.text || 'kB',
                             true)
