//! Topics: made, described, listed, deleted, refused.

use super::world::{World, noted};
use millstream_log::{LogError, TopicPartition, TopicSpec};

pub(crate) fn a_topic_is_made_described_listed_and_deleted(world: &World) {
    let mut admin = world.admin();
    let (first, second) = (world.topic("a", 3), world.topic("b", 1));

    let described = admin.describe_topic(&first).expect("an answer").expect("the topic");
    assert_eq!((described.name.as_str(), described.partitions), (first.as_ref(), 3));
    let listed = admin.topics().expect("topics");
    assert!(listed.is_sorted(), "{listed:?}");
    let ours: Vec<&String> =
        listed.iter().filter(|name| name.starts_with(&world.name("")) || **name == *first).collect();
    assert_eq!(ours, [first.as_ref(), second.as_ref()]);

    admin.delete_topic(&first).expect("deletion");
    assert_eq!(admin.describe_topic(&first), Ok(None));
    assert!(!admin.topics().expect("topics").contains(&first.to_string()));
    assert!(admin.describe_topic(&second).expect("an answer").is_some());
}

pub(crate) fn a_topic_can_be_made_only_once(world: &World) {
    let name = world.topic("t", 2);
    let again = world.admin().create_topic(&TopicSpec::new(name.as_ref(), 5));
    assert_eq!(again, Err(LogError::TopicExists(name.to_string())));
    let described = world.admin().describe_topic(&name).expect("an answer").expect("the topic");
    assert_eq!(described.partitions, 2);
}

pub(crate) fn a_topic_that_does_not_exist_is_unknown(world: &World) {
    let name = world.name("missing");
    let mut admin = world.admin();
    assert_eq!(admin.describe_topic(&name), Ok(None));
    assert_eq!(admin.delete_topic(&name), Err(LogError::UnknownTopic(name.clone())));
    let place = TopicPartition::new(name.as_str(), 0);
    let deleted = admin.delete_records(&[(place, 0)]);
    assert!(matches!(deleted, Err(LogError::UnknownTopic(_))), "{deleted:?}");
}

pub(crate) fn settings_of_a_topic_are_kept(world: &World) {
    let settings = [
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "20000"),
        ("message.timestamp.type", "LogAppendTime"),
        ("retention.ms", "3600000"),
    ];
    let name = world.topic_with("t", 1, &settings);
    let described = world.admin().describe_topic(&name).expect("an answer").expect("the topic");
    for (key, value) in settings {
        assert_eq!(described.config.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(described.config.get("retention.bytes").map(String::as_str), Some("-1"));
}

pub(crate) fn a_setting_that_is_not_known_is_refused_by_name(world: &World) {
    let spec = TopicSpec::new(world.name("t"), 1).with("retention.hours", "5");
    match world.admin().create_topic(&spec) {
        Err(LogError::BadConfig { key, value, .. }) => {
            assert_eq!((key.as_str(), value.as_str()), ("retention.hours", "5"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.admin().describe_topic(&spec.name), Ok(None));
}

pub(crate) fn a_value_that_is_not_one_is_refused_by_name(world: &World) {
    for (bad, value) in
        [("retention.ms", "soon"), ("cleanup.policy", "keep"), ("message.timestamp.type", "Never")]
    {
        let spec = TopicSpec::new(world.name("t"), 1).with("max.message.bytes", "1000").with(bad, value);
        match world.admin().create_topic(&spec) {
            Err(LogError::BadConfig { key, .. }) => assert_eq!(key, bad),
            other => panic!("{bad} = {value}: {other:?}"),
        }
    }
}

pub(crate) fn names_that_kafka_refuses_are_refused(world: &World) {
    for name in ["", ".", "..", "a topic", "größe", "a/b", &"x".repeat(250)] {
        let made = world.admin().create_topic(&TopicSpec::new(name, 1));
        assert!(matches!(made, Err(LogError::Unsupported(_))), "\"{name}\": {made:?}");
    }
}

pub(crate) fn a_topic_needs_a_partition(world: &World) {
    let made = world.admin().create_topic(&TopicSpec::new(world.name("t"), 0));
    assert!(matches!(made, Err(LogError::Unsupported(_))), "{made:?}");
}

pub(crate) fn topics_of_the_log_itself_are_not_listed(world: &World) {
    let place = world.partition("t");
    world.admin().commit(&world.name("g"), &[(place.clone(), noted(0, ""))]).expect("a commit");
    let mut writer = world.transactional("w", 10_000);
    world.retry("begin", || writer.begin());
    world.put(writer.as_mut(), &place, &["a"]);
    world.retry("commit", || writer.commit());
    let listed = world.admin().topics().expect("topics");
    assert!(listed.contains(&place.topic.to_string()));
    assert!(!listed.iter().any(|name| name.starts_with("__")), "{listed:?}");
}

pub(crate) fn a_log_says_what_it_is(world: &World) {
    let (first, second) = (world.log().info(), world.process("p").0.info());
    assert!(!first.kind.is_empty() && !first.cluster.is_empty() && !first.location.is_empty());
    assert_eq!((first.kind, &first.cluster), (second.kind, &second.cluster));
}
