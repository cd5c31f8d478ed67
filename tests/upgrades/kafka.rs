//! The same on a real Kafka: one broker for all.

use crate::check::check;
use crate::inputs::{
    a_topic_made_anew_is_not_taken_for_the_old_one, an_input_that_goes_under_a_running_job_ends_it,
    partitions_that_are_added_are_read,
};
use crate::pairs::pairs;
use crate::remains::{self, Part};
use crate::world::World;
use millstream_test_support::kafka::shared;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;

#[test]
fn a_changed_file_goes_on_rightly_or_is_refused_on_kafka() {
    let Some(broker) = shared() else { return };
    let some = [
        "aggregates of the same types change places",
        "another filter below an aggregation",
        "statements in another order",
        "a new statement with state in front",
        "a statement without state on the same table",
        "the sides of a join change places",
    ];
    for (index, name) in some.into_iter().enumerate() {
        let pair = pairs().find(|pair| pair.name == name).unwrap();
        check(pair, 2, &|how| World::on_kafka(&broker.bootstrap(), &format!("p{index}-{how}")));
    }
}

#[test]
fn a_topic_made_anew_is_not_taken_for_the_old_one_on_kafka() {
    let Some(broker) = shared() else { return };
    a_topic_made_anew_is_not_taken_for_the_old_one(&|prefix| World::on_kafka(&broker.bootstrap(), prefix));
}

#[test]
fn an_input_that_goes_under_a_running_job_ends_it_on_kafka() {
    let Some(broker) = shared() else { return };
    an_input_that_goes_under_a_running_job_ends_it(&|prefix| {
        World::on_kafka(&broker.bootstrap(), &format!("run-{prefix}"))
    });
}

#[test]
fn partitions_that_are_added_are_read_while_the_job_runs_on_kafka() {
    let Some(broker) = shared() else { return };
    let bootstrap = broker.bootstrap();
    let add = |world: &World, partitions: u32| {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
        let topic = world.name("t");
        let more = [NewPartitions::new(&topic, partitions as usize)];
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let added = runtime.block_on(admin.create_partitions(&more, &AdminOptions::new())).unwrap();
        assert!(added.iter().all(Result::is_ok), "{added:?}");
    };
    let world = World::on_kafka(&bootstrap, "more-");
    partitions_that_are_added_are_read(crate::inputs::SUMS, &world, &add, 1);
}

#[test]
fn whatever_of_a_job_is_deleted_it_goes_on_rightly_or_says_what_is_gone_on_kafka() {
    use Part::{Control, Journal, Offsets, Repartition, Snapshots, State};
    let Some(broker) = shared() else { return };
    let some: [&[Part]; 7] = [
        &[Journal],
        &[Journal, State, Snapshots, Offsets],
        &[Control],
        &[Journal, Control],
        &[Journal, Control, State],
        &[Repartition],
        &[Offsets, State],
    ];
    for (index, deleted) in some.into_iter().enumerate() {
        let world = World::on_kafka(&broker.bootstrap(), &format!("d{index}-"));
        remains::ran(&world);
        remains::check(&world, deleted);
    }
}
