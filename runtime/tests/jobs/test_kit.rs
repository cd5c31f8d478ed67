//! The test kit: what it drives, and what it finds.

use millstream_operators::typed::{
    Context, ListState, Policy, ProcessFunction, Program, RecordOf, States, ValueState, Windowed, Windows,
    Within,
};
use millstream_operators::{Topology, typed};
use millstream_runtime::testing::{TestJob, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Click {
    user: String,
    page: String,
    at: i64,
}

fn click(job: &mut TestJob, user: &str, page: &str, at: i64) {
    job.pipe("clicks", &Click { user: user.to_owned(), page: page.to_owned(), at }, at);
}

fn clicks(program: &Program) -> typed::Stream<Click> {
    program.source::<Click>("clicks").event_time(|click| click.at, SECOND).stream()
}

/// What a test that has to fail fails with.
fn failure(test: impl FnOnce()) -> String {
    let cause = catch_unwind(AssertUnwindSafe(test)).expect_err("it passes");
    cause.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn windows_over_partitions_close_when_all_of_them_have_come_so_far() {
    let program = Program::new();
    let by_page = clicks(&program).key_by(|click| click.page.clone());
    by_page.windowed(Windows::tumbling(10 * SECOND)).count().to("views");
    run(&program.topology().unwrap(), &[("clicks", 3)], |job| {
        for (n, page) in ["home", "cart", "home", "home"].iter().enumerate() {
            click(job, "u", page, 1_000 + n as i64);
        }
        // In one partition only: the others hold the watermark back.
        click(job, "u", "home", 20_000);
        assert!(job.read::<Windowed<String, u64>>("views").is_empty());
        job.crash_and_restore();
        job.advance_watermark(15_000);
        let mut views = job.read_records::<String, Windowed<String, u64>>("views");
        views.sort_by(|a, b| a.key.cmp(&b.key));
        let of = |key: &str, value| (Some(key.to_owned()), 9_999, Some((0, 10_000, value)));
        let found = views.iter().map(|record| {
            let value = record.value.as_ref().map(|it| (it.window_start, it.window_end, it.value));
            (record.key.clone(), record.timestamp_ms, value)
        });
        assert_eq!(found.collect::<Vec<_>>(), [of("cart", 1), of("home", 3)]);
        click(job, "u", "late", 2_000);
        job.advance_watermark(60_000);
        assert_eq!(job.read::<Windowed<String, u64>>("views").len(), 1);
    });
}

#[test]
fn streams_are_joined_with_tables_and_each_other_over_partitions() {
    let program = Program::new();
    let names = program.source::<String>("names").table::<String>();
    let clicks = clicks(&program);
    let by_user = clicks.clone().key_by(|click| click.user.clone());
    by_user.clone().left_join(names, |click, name| (click.page, name.cloned())).to("named");
    let again = clicks.filter(|click| click.page == "buy").key_by(|click| click.user.clone());
    by_user
        .filter(|click| click.page == "ad")
        .join_within(again, Within::after(5 * SECOND), |ad, buy| buy.at - ad.at)
        .to("converted");
    run(&program.topology().unwrap(), &[("clicks", 2), ("names", 2)], |job| {
        for n in 0..6 {
            job.pipe_keyed("names", &format!("u{n}"), &format!("name of {n}"), 0);
        }
        job.delete("names", &"u5".to_owned(), 1);
        job.settle();
        for n in 0..6 {
            click(job, &format!("u{n}"), "ad", 1_000 + n);
        }
        for n in 0..3 {
            click(job, &format!("u{n}"), "buy", 4_000 + n * 1_500);
        }
        let mut named = job.read::<(String, Option<String>)>("named");
        named.sort();
        let mut expected: Vec<_> = (0..5).map(|n| ("ad".to_owned(), Some(format!("name of {n}")))).collect();
        expected.extend((0..3).map(|n| ("buy".to_owned(), Some(format!("name of {n}")))));
        expected.push(("ad".to_owned(), None));
        expected.sort();
        assert_eq!(named, expected);
        let mut converted = job.read::<i64>("converted");
        converted.sort_unstable();
        assert_eq!(converted, [3_000, 4_499]);
        job.advance_watermark(100_000);
        assert!(job.state::<String, Vec<serde_json::Value>>("windowjoin", "left").is_empty());
    });
}

#[test]
fn records_are_at_hand_and_bad_rows_are_rejected_by_their_place() {
    struct Check;
    impl ProcessFunction<String, Click> for Check {
        type Out = String;
        fn row(&mut self, cx: &mut Context<'_, String>, _key: &String, click: Click) {
            if click.page.is_empty() {
                return cx.reject("a click without a page");
            }
            let place =
                cx.record().map(|record| format!("{}-{}-{}", record.topic, record.partition, record.offset));
            cx.emit(place.unwrap_or_default());
        }
    }
    let declared = |policy: Policy| {
        let program = Program::new();
        let source = program.source::<Click>("clicks").record_time(SECOND).bad_records(policy);
        source.stream().key_by(|click| click.user.clone()).process(|_| Check).to("places");
        program.topology().unwrap()
    };
    // One partition: no repartition topic is between.
    run(&declared(Policy::Skip), &[("clicks", 1)], |job| {
        click(job, "u", "home", 1_000);
        click(job, "u", "", 1_000);
        click(job, "u", "home", 1_000);
        assert_eq!(job.read::<String>("places"), ["clicks-0-0", "clicks-0-2"]);
    });
    let message = failure(|| {
        run(&declared(Policy::Fail), &[("clicks", 1)], |job| {
            click(job, "u", "", 1_000);
            job.settle();
        });
    });
    assert!(
        message.contains("clicks, partition 0, offset 0") && message.contains("without a page"),
        "{message}"
    );

    let program = Program::new();
    let numbered = program.read::<Click>("clicks").with_record().key_by(|(click, _)| click.user.clone());
    numbered.map_values(|(_, record)| record).to("records");
    run(&program.topology().unwrap(), &[("clicks", 2)], |job| {
        click(job, "u", "home", 7);
        click(job, "u", "home", 8);
        let mut records = job.read::<RecordOf>("records");
        records.sort_by_key(|record| record.partition);
        let places: Vec<_> = records.iter().map(|it| (it.partition, it.offset, it.timestamp_ms)).collect();
        assert_eq!(places, [(0, 0, 7), (1, 0, 8)]);
    });
}

/// Keeps something in a field of its own.
#[derive(Default)]
struct Careless {
    seen: u64,
    total: Option<ValueState<u64>>,
}

impl ProcessFunction<String, Click> for Careless {
    type Out = u64;
    fn row(&mut self, cx: &mut Context<'_, u64>, _key: &String, _click: Click) {
        self.seen += 1;
        if let Some(total) = &self.total {
            total.set(cx, self.seen);
        }
        cx.emit(self.seen);
    }
}

fn over_clicks<F: ProcessFunction<String, Click>>(
    make: impl Fn(&mut States) -> F + Send + Sync + 'static,
) -> Topology {
    let program = Program::new();
    clicks(&program).key_by(|click| click.user.clone()).process(make).to("out");
    program.topology().unwrap()
}

fn some_clicks(job: &mut TestJob) {
    for n in 0..6 {
        click(job, "u", "home", 1_000 + n);
        if n % 2 == 0 {
            job.settle();
        }
    }
}

#[test]
fn a_function_that_keeps_something_in_a_field_is_found_by_its_operator() {
    let topology = over_clicks(|states| Careless { seen: 0, total: Some(states.value("total")) });
    let message = failure(|| run(&topology, &[("clicks", 1)], some_clicks));
    assert!(message.contains("differently") && message.contains("operator \"process\""), "{message}");
    let topology = over_clicks(|_| Careless::default());
    let message = failure(|| run(&topology, &[("clicks", 1)], some_clicks));
    assert!(message.contains("output differs on replay"), "{message}");
}

#[test]
fn a_value_that_is_not_what_is_read_back_of_it_is_found_by_its_operator_and_state() {
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Lossy {
        page: String,
        #[serde(skip)]
        #[allow(dead_code, reason = "only shown")]
        count: u64,
    }
    struct Keeps(ListState<Lossy>);
    impl ProcessFunction<String, Click> for Keeps {
        type Out = u64;
        fn row(&mut self, cx: &mut Context<'_, u64>, _key: &String, click: Click) {
            self.0.push(cx, Lossy { page: click.page, count: 1 });
        }
    }
    let topology = over_clicks(|states| Keeps(states.list("pages")));
    let message = failure(|| run(&topology, &[("clicks", 1)], some_clicks));
    for part in ["Keeps", "state pages", "count: 1", "count: 0"] {
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn state_is_read_by_operator_and_name_and_what_is_not_there_is_said() {
    struct Pages(ListState<String>);
    impl ProcessFunction<String, Click> for Pages {
        type Out = u64;
        fn row(&mut self, cx: &mut Context<'_, u64>, _key: &String, click: Click) {
            self.0.push(cx, click.page);
        }
    }
    let topology = over_clicks(|states| Pages(states.list("pages")));
    run(&topology, &[("clicks", 2)], |job| {
        click(job, "a", "home", 1_000);
        click(job, "b", "cart", 1_000);
        job.settle();
        click(job, "a", "cart", 1_001);
        job.crash_and_lose_disk();
        let state: BTreeMap<String, Vec<String>> = job.state("process", "pages");
        assert_eq!((state["a"].len(), state["b"].as_slice()), (2, &["cart".to_owned()][..]));
        job.advance(Duration::from_secs(3));
    });
    let message = failure(|| {
        run(&topology, &[("clicks", 2)], |job| {
            job.state::<String, u64>("process", "nothing");
        });
    });
    assert!(message.contains("keeps no nothing") && message.contains("pages"), "{message}");
}
