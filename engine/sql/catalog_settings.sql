-- The settings that godwit looks at; one that this version does not have is left out.
-- Columns: name, value in the base unit, unit. Ordered by name, byte by byte.
SELECT s.name, s.setting, s.unit
FROM pg_catalog.pg_settings s
WHERE s.name IN ('autovacuum_freeze_max_age', 'block_size', 'default_toast_compression',
                 'hot_standby_feedback', 'idle_replication_slot_timeout', 'lc_monetary',
                 'logical_decoding_work_mem', 'maintenance_work_mem', 'max_connections',
                 'max_locks_per_transaction', 'max_logical_replication_workers',
                 'max_prepared_transactions', 'max_replication_slots', 'max_slot_wal_keep_size',
                 'max_wal_senders', 'max_wal_size', 'max_worker_processes',
                 'old_snapshot_threshold', 'output_plugin_libraries', 'port', 'reserved_connections', 'server_encoding',
                 'shared_buffers', 'superuser_reserved_connections', 'timescaledb.enable_compressed_direct_batch_delete',
                 'timescaledb.enable_compression_wal_markers', 'timescaledb.enable_direct_compress_copy',
                 'timescaledb.enable_direct_compress_insert', 'timescaledb.license', 'timescaledb.restoring',
                 'wal_level', 'wal_sender_timeout')
ORDER BY s.name COLLATE "C";
