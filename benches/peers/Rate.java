import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs a file's declarations, and then its last statement, which is a query into the table that {@code ROUND} in it names,
 * once per round. Flink is set as its own benchmarks set it: state in RocksDB, rows in small batches, objects used again.
 */
public final class Rate {
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  public static void main(String[] arguments) throws Exception {
    TableEnvironment tables = TableEnvironment.create(
        EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings()).build());
    String[] statements = Files.readString(Path.of(arguments[0])).split(";\\s*\\n");
    int last = statements.length - 1;
    for (int at = 0; at < last; at++) {
      tables.executeSql(statements[at].strip());
    }
    for (int round = 1; round <= Integer.parseInt(arguments[1]); round++) {
      long cpu = PROCESS.getProcessCpuTime();
      long start = System.nanoTime();
      tables.executeSql(statements[last].strip().replace("ROUND", "round_" + round)).await();
      System.out.printf(Locale.ROOT, "%.2f %.2f%n",
          (PROCESS.getProcessCpuTime() - cpu) / 1e9, (System.nanoTime() - start) / 1e9);
    }
    // Threads of the cluster in this process would keep it alive.
    System.exit(0);
  }

  private static Configuration settings() throws Exception {
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "1");
    settings.setString("taskmanager.numberOfTaskSlots", "1");
    settings.setString("taskmanager.memory.managed.size", "1500m");
    settings.setString("taskmanager.memory.network.max", "256m");
    settings.setString("state.backend.type", "rocksdb");
    settings.setString("execution.checkpointing.interval", "10s");
    settings.setString("execution.checkpointing.dir", Files.createTempDirectory("checkpoints").toUri().toString());
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("table.exec.mini-batch.enabled", "true");
    settings.setString("table.exec.mini-batch.allow-latency", "2s");
    settings.setString("table.exec.mini-batch.size", "50000");
    settings.setString("table.optimizer.distinct-agg.split.enabled", "true");
    settings.setString("table.local-time-zone", "UTC");
    return settings;
  }
}
