//! Jobs of tables: over several partitions, whatever comes when, killed and run again.

use millstream_operators::Topology;
use millstream_operators::typed::{Program, Table, Windowed, Windows};
use millstream_runtime::testing::{TestJob, run};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Order {
    customer: Option<u64>,
    cents: i64,
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What the topics of a test hold, as tables.
#[derive(Default)]
struct Model {
    orders: BTreeMap<u64, Order>,
    customers: BTreeMap<u64, String>,
}

impl Model {
    fn customer_of(&self, order: &Order) -> Option<&String> {
        order.customer.and_then(|id| self.customers.get(&id))
    }
}

/// Changes orders and customers at random, with commits and crashes between; calls `check` when everything has settled.
fn shuffle(job: &mut TestJob, seed: u64, check: impl Fn(&mut TestJob, &Model)) {
    let (mut numbers, mut model) = (Numbers(seed), Model::default());
    for step in 0..60 {
        let time = 1_000 + step;
        match numbers.below(6) {
            0 => {
                let id = numbers.below(5);
                model.orders.remove(&id);
                job.delete("orders", &id, time);
            }
            1 => {
                let id = numbers.below(3);
                model.customers.remove(&id);
                job.delete("customers", &id, time);
            }
            2 => {
                let (id, name) = (numbers.below(3), format!("name {step}"));
                job.pipe_keyed("customers", &id, &name, time);
                model.customers.insert(id, name);
            }
            _ => {
                let (id, customer) = (numbers.below(5), Some(numbers.below(4)).filter(|id| *id < 3));
                let order = Order { customer, cents: numbers.below(100) as i64 };
                job.pipe_keyed("orders", &id, &order, time);
                model.orders.insert(id, order);
            }
        }
        match numbers.below(12) {
            0..5 => job.settle(),
            5 => job.crash_and_restore(),
            6 => job.crash_and_lose_disk(),
            7 => check(job, &model),
            _ => {}
        }
    }
    check(job, &model);
}

fn orders_and_customers(program: &Program) -> (Table<u64, Order>, Table<u64, String>) {
    (program.source::<Order>("orders").table(), program.source::<String>("customers").table())
}

fn play(topology: &Topology, partitions: (u32, u32), check: impl Fn(&mut TestJob, &Model)) {
    for seed in [1, 2, 3] {
        let topics = [("orders", partitions.0), ("customers", partitions.1), ("inner", 2), ("left", 3)];
        run(topology, &topics, |job| shuffle(job, seed, &check));
    }
}

#[test]
fn a_row_comes_with_the_row_whose_key_it_names_wherever_that_lives_and_moves() {
    let program = Program::new();
    let (orders, customers) = orders_and_customers(&program);
    let customer = |order: &Order| order.customer;
    let billed = |order: &Order, name: &String| format!("{name}: {}", order.cents);
    orders.clone().join_on(customers.clone(), customer, billed).to("inner");
    let named = |order: &Order, name: Option<&String>| (order.cents, name.cloned());
    orders.left_join_on(customers, customer, named).to("left");
    let topology = program.topology().unwrap();
    for partitions in [(3, 2), (1, 1)] {
        play(&topology, partitions, |job, model| {
            let inner = model.orders.iter().filter_map(|(id, order)| {
                Some((*id, format!("{}: {}", model.customer_of(order)?, order.cents)))
            });
            assert_eq!(job.table::<u64, String>("inner"), inner.collect());
            let left = model
                .orders
                .iter()
                .map(|(id, order)| (*id, (order.cents, model.customer_of(order).cloned())));
            assert_eq!(job.table::<u64, (i64, Option<String>)>("left"), left.collect());
        });
    }
}

#[test]
fn groups_of_a_table_lose_what_leaves_them() {
    let program = Program::new();
    let (orders, _) = orders_and_customers(&program);
    let by_customer = orders.group_by(|id, order| (order.customer.unwrap_or(99), (*id, order.cents)));
    by_customer.clone().count().to("counts");
    by_customer.clone().aggregate(0, |sum, (_, n)| sum + n, |sum, (_, n)| sum - n).to("sums");
    by_customer.top(2, |(_, cents)| *cents).to("top");
    let topology = program.topology().unwrap();
    for partitions in [(3, 1), (1, 1)] {
        play(&topology, partitions, |job, model| {
            let mut groups: BTreeMap<u64, Vec<(u64, i64)>> = BTreeMap::new();
            for (id, order) in &model.orders {
                groups.entry(order.customer.unwrap_or(99)).or_default().push((*id, order.cents));
            }
            let counts = groups.iter().map(|(group, rows)| (*group, rows.len() as u64));
            assert_eq!(job.table::<u64, u64>("counts"), counts.collect());
            let sums = groups.iter().map(|(group, rows)| (*group, rows.iter().map(|row| row.1).sum()));
            assert_eq!(job.table::<u64, i64>("sums"), sums.collect());
            let top = groups.iter().map(|(group, rows)| {
                let mut rows = rows.clone();
                rows.sort_by_key(|(id, cents)| (-cents, *id));
                rows.truncate(2);
                (*group, rows)
            });
            assert_eq!(job.table::<u64, Vec<(u64, i64)>>("top"), top.collect());
        });
    }
}

#[test]
fn two_tables_meet_by_their_keys_also_one_that_was_made_of_the_other() {
    let program = Program::new();
    let (orders, customers) = orders_and_customers(&program);
    let show = |order: Option<&u64>, name: Option<&String>| (order.copied(), name.cloned());
    // Made of the orders, and sent to where its key is.
    let by_customer = orders.clone().group_by(|_, order| (order.customer.unwrap_or(99), ())).count();
    by_customer.clone().outer_join(customers.clone(), show).to("outer");
    by_customer.clone().left_join(customers, |n, name| (*n, name.is_some())).to("left");
    orders
        .filter(|order| order.cents >= 20)
        .join(by_customer, |order, count| (order.cents, *count))
        .map_values(|(cents, count)| format!("{cents}/{count}"))
        .to("own");
    let topology = program.topology().unwrap();
    play(&topology, (3, 3), |job, model| {
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        model.orders.values().for_each(|order| *counts.entry(order.customer.unwrap_or(99)).or_default() += 1);
        let keys = counts.keys().chain(model.customers.keys());
        let outer = keys.map(|key| (*key, (counts.get(key).copied(), model.customers.get(key).cloned())));
        assert_eq!(job.table::<u64, (Option<u64>, Option<String>)>("outer"), outer.collect());
        let left = counts.iter().map(|(key, n)| (*key, (*n, model.customers.contains_key(key))));
        assert_eq!(job.table::<u64, (u64, bool)>("left"), left.collect());
        let own = model
            .orders
            .iter()
            .filter(|(_, order)| order.cents >= 20)
            .filter_map(|(id, order)| Some((*id, format!("{}/{}", order.cents, counts.get(id)?))));
        assert_eq!(job.table::<u64, String>("own"), own.collect());
    });
}

#[test]
fn a_small_table_is_everywhere_and_rows_stay_where_they_are() {
    let program = Program::new();
    let names = program.source::<String>("names").table::<u64>().everywhere();
    let numbers = program.read::<u64>("numbers");
    numbers.clone().join_global(names.clone(), |n| n % 10, |n, name| format!("{name} {n}")).to("named");
    numbers.left_join_global(names, |n| n % 7, |n, name| (n, name.is_some())).to("all");
    run(&program.topology().unwrap(), &[("numbers", 3), ("names", 2), ("named", 1), ("all", 1)], |job| {
        for id in 0..5u64 {
            job.pipe_keyed("names", &id, &format!("name{id}"), 1_000);
        }
        job.settle();
        (0..20u64).for_each(|n| job.pipe("numbers", &n, 2_000));
        let mut named = job.read::<String>("named");
        named.sort();
        let mut expected: Vec<String> =
            (0..5).flat_map(|id| [id, id + 10].map(|n| format!("name{id} {n}"))).collect();
        expected.sort();
        assert_eq!(named, expected);
        let mut all = job.read::<(u64, bool)>("all");
        all.sort();
        assert_eq!(all, (0..20).map(|n| (n, n % 7 < 5)).collect::<Vec<_>>());
        job.delete("names", &3u64, 3_000);
        job.crash_and_lose_disk();
        (0..10u64).for_each(|n| job.pipe("numbers", &n, 4_000));
        assert_eq!(job.read::<String>("named").len(), 4);
    });
}

#[test]
fn a_stream_is_a_table_of_its_last_rows_and_a_table_a_stream_of_its_changes() {
    let program = Program::new();
    let readings = program.read::<(u64, i64)>("readings").key_by(|(sensor, _)| *sensor);
    let last = readings.to_table_with(|(_, value)| (value >= 0).then_some(value));
    last.clone().to("last");
    last.changes().to("changes");
    run(&program.topology().unwrap(), &[("readings", 2), ("last", 2), ("changes", 1)], |job| {
        for (sensor, value) in [(1, 5), (2, 7), (1, 6), (2, -1)] {
            job.pipe_to("readings", 0, None, Some(format!("[{sensor},{value}]").as_bytes()), 1_000);
            job.settle();
        }
        assert_eq!(job.table::<u64, i64>("last"), [(1, 6)].into());
        let mut changes: Vec<_> = job
            .read_records::<u64, Option<i64>>("changes")
            .into_iter()
            .map(|it| (it.key, it.value))
            .collect();
        changes.sort();
        let change = |key, value| (Some(key), Some(value));
        let expected = [change(1, Some(5)), change(1, Some(6)), change(2, None), change(2, Some(7))];
        assert_eq!(changes, expected);
    });
}

#[test]
fn a_stream_is_not_merged_with_what_was_keyed_of_it() {
    let program = Program::new();
    let numbers = program.read::<u64>("numbers");
    numbers.clone().key_by(|n| n % 3).rows().merge(numbers).to("both");
    let error = program.topology().unwrap_err().to_string();
    assert!(error.contains("key the other by the same"), "{error}");
}

#[test]
fn a_table_without_event_time_holds_no_window_back() {
    let program = Program::new();
    let second = Duration::from_secs(1);
    let names = program.source::<String>("names").table::<u64>();
    let numbers = program.source::<u64>("numbers").record_time(Duration::ZERO).stream();
    numbers
        .left_join_global(names.clone().everywhere(), |n| *n, |n, name| (n, name.is_some()))
        .key_by(|(n, _)| *n)
        .left_join(names, |(n, is_named), name| (n, is_named, name.is_some()))
        .windowed(Windows::tumbling(second))
        .count()
        .to("counts");
    run(&program.topology().unwrap(), &[("numbers", 2), ("names", 2), ("counts", 1)], |job| {
        // Each of its partitions has had a record: until then nothing is known of its time.
        (0..8u64).for_each(|id| job.pipe_keyed("names", &id, "name", 0));
        job.pipe("numbers", &7u64, 1_500);
        job.advance_watermark(2_500);
        assert_eq!(job.read::<Windowed<u64, u64>>("counts").len(), 1);
    });
}

#[test]
fn windows_that_go_by_the_clock_close_without_rows() {
    let program = Program::new();
    let pages = program.source::<String>("pages").clock_time().stream().key_by(|page| page.clone());
    pages.windowed(Windows::tumbling(Duration::from_secs(10))).count().to("counts");
    run(&program.topology().unwrap(), &[("pages", 2), ("counts", 1)], |job| {
        job.pipe("pages", "home", 5);
        job.pipe("pages", "home", 99_000_000);
        job.settle();
        job.advance(Duration::from_secs(11));
        job.crash_and_restore();
        let counts = job.read::<Windowed<String, u64>>("counts");
        assert_eq!(counts.iter().map(|window| window.value).sum::<u64>(), 2);
        job.pipe("pages", "home", 7);
        assert!(job.read::<Windowed<String, u64>>("counts").is_empty());
        job.advance(Duration::from_secs(11));
        assert_eq!(job.read::<Windowed<String, u64>>("counts").len(), 1);
    });
}

#[test]
fn a_row_meets_what_its_key_had_at_its_time_over_partitions() {
    let program = Program::new();
    let rates = program.source::<f64>("rates").record_time(Duration::ZERO).versioned::<String>();
    program
        .source::<(String, f64)>("orders")
        .record_time(Duration::from_millis(100))
        .stream()
        .key_by(|(currency, _)| currency.clone())
        .join_as_of(rates, |(_, amount), rate| amount * rate)
        .to("euros");
    run(&program.topology().unwrap(), &[("rates", 2), ("orders", 2), ("euros", 1)], |job| {
        for (currency, rate, at) in [("usd", 2.0, 1_000), ("usd", 4.0, 3_000), ("nok", 8.0, 2_000)] {
            job.pipe_keyed("rates", &currency.to_owned(), &rate, at);
        }
        for (currency, at) in [("usd", 2_999), ("usd", 3_000), ("nok", 1_999), ("nok", 5_000)] {
            job.pipe("orders", &(currency, 1.0), at);
        }
        job.crash_and_lose_disk();
        job.advance_watermark(10_000);
        let mut euros = job.read::<f64>("euros");
        euros.sort_by(f64::total_cmp);
        assert_eq!(euros, [2.0, 4.0, 8.0]);
    });
}
