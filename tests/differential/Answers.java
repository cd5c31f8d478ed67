import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.ResultKind;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/**
 * Runs the statements of a file in Flink, in this process, one after the other, and prints the changes of every query: kind
 * and row. A statement that Flink refuses is printed as a line that begins with two exclamation marks.
 */
public final class Answers {
  /** A text, a name, a comment, a statement set, or another character; a semicolon that is in none of these ends a statement. */
  private static final Pattern TOKEN =
      Pattern.compile("'(?:[^']|'')*'|`[^`]*`|--[^\\n]*|/\\*.*?\\*/|STATEMENT\\s+SET\\s+BEGIN\\b.*?\\bEND\\s*(?=;)|.", Pattern.DOTALL);

  private static final Pattern SET = Pattern.compile("SET\\s+'([^']+)'\\s*=\\s*'([^']*)'", Pattern.CASE_INSENSITIVE);

  private final TableEnvironment tables;
  private boolean failed;

  private Answers() {
    Configuration settings = new Configuration();
    // One task gives rows in the order in which it makes them.
    settings.setString("parallelism.default", "1");
    settings.setString("table.local-time-zone", "UTC");
    settings.setString("table.dml-sync", "true");
    tables = TableEnvironment.create(
        EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(settings).build());
  }

  public static void main(String[] files) throws Exception {
    Answers answers = new Answers();
    StringBuilder statement = new StringBuilder();
    for (MatchResult token : TOKEN.matcher(Files.readString(Path.of(files[0]))).results().toList()) {
      if (token.group().equals(";")) {
        answers.run(statement.toString().strip());
        statement.setLength(0);
      } else if (!token.group().startsWith("--")) {
        statement.append(token.group());
      }
    }
    answers.run(statement.toString().strip());
    // Threads of the cluster in this process would keep it alive.
    System.exit(answers.failed ? 1 : 0);
  }

  private void run(String statement) {
    if (statement.isEmpty()) {
      return;
    }
    var set = SET.matcher(statement);
    if (set.matches()) {
      tables.getConfig().set(set.group(1), set.group(2));
      return;
    }
    try {
      TableResult result = tables.executeSql(statement);
      if (result.getResultKind() == ResultKind.SUCCESS_WITH_CONTENT) {
        try (var rows = result.collect()) {
          rows.forEachRemaining(System.out::println);
        }
      }
    } catch (Exception | Error failure) {
      failed = true;
      Throwable cause = failure;
      while (cause.getCause() != null) {
        cause = cause.getCause();
      }
      System.out.println("!! " + cause.getClass().getSimpleName() + ": " + cause.getMessage());
    }
  }
}
