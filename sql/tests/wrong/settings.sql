-- unknown
SET 'pipeline.nam' = 'x';
SET 'frobnicate' = 'x';

-- of Flink
SET 'execution.checkpointing.interval' = '10 s';
SET 'table.exec.state.ttl' = 'soon';
SET 'sql-client.execution.result-mode' = 'tableau';

-- values
SET 'pipeline.name' = 'my job';
SET 'table.local-time-zone' = 'Mars/Olympus';
SET 'execution.runtime-mode' = 'batch';
SET 'millstream.commit-interval' = '0 s';
SET 'millstream.commit-interval' = 'soon';
SET 'millstream.checkpoint-bytes' = '64 tb';
SET 'parallelism.default' = '-1';
SET 'millstream.memory' = '64 mb';
