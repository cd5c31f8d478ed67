//! The order pipeline: each of its jobs in the test kit.

#[path = "../../examples/orders/events.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod events;
#[path = "../../examples/orders/inventory.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod inventory;
#[path = "../../examples/orders/notify.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod notify;
#[path = "../../examples/orders/sales.rs"]
#[allow(dead_code, unreachable_pub, reason = "a program of its own")]
mod sales;

use events::{Delivered, Item, OrderPlaced};
use inventory::{Reserved, Short, inventory};
use millstream::testing::{TestJob, run};
use millstream::typed::Windowed;
use notify::{Message, notify};
use sales::{Sold, sales};

const HOUR: i64 = 3_600_000;

fn order(job: &mut TestJob, order: &str, customer: &str, at: i64, items: &[(&str, u32, u64)]) {
    let item = |(article, quantity, cents): &(&str, u32, u64)| Item {
        article: (*article).to_owned(),
        quantity: *quantity,
        cents: *cents,
    };
    let items = items.iter().map(item).collect();
    let placed = OrderPlaced { order: order.to_owned(), customer: customer.to_owned(), at, items };
    job.pipe("orders", &placed, at);
}

fn deliver(job: &mut TestJob, article: &str, quantity: u32, at: i64) {
    job.pipe("deliveries", &Delivered { article: article.to_owned(), quantity, at }, at);
    job.settle();
}

#[test]
fn orders_take_from_stock_and_wait_for_deliveries_in_their_turn() {
    run(&inventory().unwrap(), &[("orders", 2), ("deliveries", 1)], |job| {
        deliver(job, "flour", 10, 1_000);
        order(job, "o1", "ada", 2_000, &[("flour", 7, 100)]);
        job.settle();
        order(job, "o2", "bob", 3_000, &[("flour", 5, 100)]);
        job.settle();
        // Behind one that waits, though there is enough.
        order(job, "o3", "ada", 4_000, &[("flour", 1, 100)]);
        job.crash_and_restore();
        assert_eq!(job.state::<String, u32>("process", "there")["flour"], 3);
        let waiting = job.state::<String, Vec<(String, u32)>>("process", "waiting");
        assert_eq!(waiting["flour"], [("o2".to_owned(), 5), ("o3".to_owned(), 1)]);
        deliver(job, "flour", 4, 5_000);
        let reserved = |order: &str, quantity, left| Reserved {
            order: order.to_owned(),
            article: "flour".to_owned(),
            quantity,
            left,
        };
        let expected = [reserved("o1", 7, 3), reserved("o2", 5, 2), reserved("o3", 1, 1)];
        assert_eq!(job.read::<Reserved>("reservations"), expected);
        let short =
            |order: &str, missing| Short { order: order.to_owned(), article: "flour".to_owned(), missing };
        assert_eq!(job.read::<Short>("shortages"), [short("o2", 2), short("o3", 0)]);
    });
}

#[test]
fn sales_are_summed_by_hour_once_the_hour_is_over_and_by_customer_at_once() {
    run(&sales().unwrap(), &[("orders", 2)], |job| {
        order(job, "o1", "ada", HOUR + 1, &[("flour", 2, 150), ("bran", 1, 80)]);
        order(job, "o2", "bob", 2 * HOUR - 1, &[("flour", 1, 150)]);
        order(job, "o3", "ada", 2 * HOUR, &[("flour", 10, 140)]);
        assert_eq!(job.table::<String, u64>("spent-by-customer")["ada"], 380 + 1_400);
        assert!(job.read::<Windowed<String, Sold>>("sales-by-hour").is_empty());
        job.crash_and_lose_disk();
        job.advance_watermark(2 * HOUR + 600_000);
        let mut sold = job.read::<Windowed<String, Sold>>("sales-by-hour");
        sold.sort_by(|a, b| a.key.cmp(&b.key));
        let of = |key: &str, quantity, cents| Windowed {
            key: key.to_owned(),
            window_start: HOUR,
            window_end: 2 * HOUR,
            value: Sold { quantity, cents },
        };
        assert_eq!(sold, [of("bran", 1, 80), of("flour", 3, 450)]);
    });
}

#[test]
fn a_customer_is_told_of_an_order_once_where_they_want_it() {
    run(&notify().unwrap(), &[("orders", 2), ("contacts", 2)], |job| {
        job.pipe_keyed("contacts", &"ada".to_owned(), "ada@example.org", 0);
        job.settle();
        order(job, "o1", "ada", 1_000, &[("flour", 2, 150)]);
        order(job, "o1", "ada", 1_000, &[("flour", 2, 150)]);
        order(job, "o2", "bob", 2_000, &[("bran", 1, 80)]);
        let message = |order: &str, count| Message {
            to: "ada@example.org".to_owned(),
            text: format!("Order {order}: {count} articles are on their way"),
        };
        assert_eq!(job.read::<Message>("messages"), [message("o1", 2)]);
        job.delete("contacts", &"ada".to_owned(), 3_000);
        job.settle();
        order(job, "o3", "ada", 4_000, &[("flour", 1, 150)]);
        assert!(job.read::<Message>("messages").is_empty());
        // A day later the same number is another order.
        job.pipe_keyed("contacts", &"ada".to_owned(), "ada@example.org", 5_000);
        job.advance_watermark(25 * HOUR);
        order(job, "o1", "ada", 26 * HOUR, &[("bran", 3, 80)]);
        assert_eq!(job.read::<Message>("messages"), [message("o1", 3)]);
    });
}
