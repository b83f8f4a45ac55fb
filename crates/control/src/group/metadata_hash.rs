//! The hash by which a group notices that its topics have changed (KIP-1101): equal to Kafka's, so that a group that
//! comes from Kafka does not rebalance for nothing.
//!
//! Kafka feeds hash4j's XXH3 stream with primitives: integers in little endian, text as UTF-16 in little endian with
//! its length in characters behind it.

use twox_hash::xxhash3_64::Hasher;

use super::TopicMetadata;

/// The format of the bytes that are hashed (`Utils.TOPIC_HASH_MAGIC_BYTE`).
const MAGIC: u8 = 0;

/// The hash of a topic whose partitions all lie in `rack` (`Utils.computeTopicHash`).
pub(super) fn topic_hash(topic: &TopicMetadata, rack: Option<&str>) -> i64 {
    let mut bytes = vec![MAGIC];
    let id = u128::from_be_bytes(topic.id.0);
    put_long(&mut bytes, (id >> 64) as u64);
    put_long(&mut bytes, id as u64);
    put_string(&mut bytes, topic.name.as_str());
    put_int(&mut bytes, topic.partition_count.cast_unsigned());
    for partition in 0..topic.partition_count {
        put_int(&mut bytes, partition.cast_unsigned());
        if let Some(rack) = rack {
            put_int(&mut bytes, utf16_length(rack));
            put_string(&mut bytes, rack);
        }
    }
    Hasher::oneshot(&bytes).cast_signed()
}

/// The hash of several topics from their own, in the order of the topics' names (`Utils.computeGroupHash`).
pub(super) fn group_hash(topic_hashes: impl IntoIterator<Item = i64>) -> i64 {
    let mut bytes = Vec::new();
    for hash in topic_hashes {
        put_long(&mut bytes, hash.cast_unsigned());
    }
    if bytes.is_empty() { 0 } else { Hasher::oneshot(&bytes).cast_signed() }
}

fn put_long(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend(value.to_le_bytes());
}

fn put_int(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend(value.to_le_bytes());
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    put_int(bytes, utf16_length(text));
}

fn utf16_length(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use ottla_model::{TopicId, TopicName};

    use super::*;
    use crate::group::TopicsImage;

    /// What `Utils.computeTopicHash` of Kafka 4.3.1 answers for the topics of [`topic`], by partition count. The
    /// lengths that are hashed lie around the bounds at which XXH3 changes its way.
    const TOPIC_HASHES: [(Option<&str>, i32, i64); 48] = [
        (None, 1, 1_264_813_328_431_779_961),
        (None, 2, -5_955_042_777_645_807_898),
        (None, 3, -7_536_410_296_130_602_066),
        (None, 10, 706_768_550_428_861_774),
        (None, 50, 6_558_537_885_594_391_377),
        (None, 51, -7_635_638_855_717_436_386),
        (None, 52, 9_136_119_875_047_242_217),
        (None, 53, -7_067_986_580_415_905_592),
        (None, 60, -4_166_306_084_671_991_979),
        (None, 100, 1_263_274_209_656_169_849),
        (None, 1_000, 4_407_204_990_776_352_712),
        (None, 20_000, -3_935_948_803_131_232_232),
        (Some(""), 1, -6_340_352_607_722_706_127),
        (Some(""), 2, 8_702_104_285_624_525_404),
        (Some(""), 3, 274_307_137_235_323_508),
        (Some(""), 10, -3_029_745_977_751_948_722),
        (Some(""), 50, 1_820_638_500_154_427_894),
        (Some(""), 51, 641_061_911_044_694_749),
        (Some(""), 52, -9_182_105_619_132_287_323),
        (Some(""), 53, -1_345_731_081_902_409_305),
        (Some(""), 60, 3_421_264_060_540_196_158),
        (Some(""), 100, 5_802_146_434_948_723_463),
        (Some(""), 1_000, -7_894_454_971_348_410_083),
        (Some(""), 20_000, -1_407_166_952_763_568_818),
        (Some("eu-1a"), 1, -8_417_164_492_968_783_783),
        (Some("eu-1a"), 2, 9_040_461_330_342_313_359),
        (Some("eu-1a"), 3, 771_273_552_751_527_789),
        (Some("eu-1a"), 10, 4_579_149_262_730_824_044),
        (Some("eu-1a"), 50, -3_758_084_314_788_761_894),
        (Some("eu-1a"), 51, 1_665_683_579_626_195_468),
        (Some("eu-1a"), 52, -537_171_780_821_388_448),
        (Some("eu-1a"), 53, -3_282_370_076_309_487_560),
        (Some("eu-1a"), 60, 7_095_623_427_846_343_387),
        (Some("eu-1a"), 100, -1_224_057_202_608_693_700),
        (Some("eu-1a"), 1_000, -5_386_147_034_274_482_387),
        (Some("eu-1a"), 20_000, 5_215_387_549_625_980_982),
        (Some("é"), 1, 2_418_010_713_331_797_836),
        (Some("é"), 2, 3_507_968_482_737_578_202),
        (Some("é"), 3, 4_579_459_513_074_101_124),
        (Some("é"), 10, 5_251_571_389_552_684_358),
        (Some("é"), 50, -2_422_952_716_806_119_366),
        (Some("é"), 51, -8_903_947_285_464_208_311),
        (Some("é"), 52, 6_517_393_948_573_804_166),
        (Some("é"), 53, 498_467_391_289_485_514),
        (Some("é"), 60, 3_771_863_181_426_526_445),
        (Some("é"), 100, -8_712_217_518_967_874_250),
        (Some("é"), 1_000, -6_489_397_837_322_283_430),
        (Some("é"), 20_000, 4_013_972_472_091_510_884),
    ];
    /// `Utils.computeGroupHash` of all topics of a rack in [`TOPIC_HASHES`].
    const GROUP_HASHES: [(Option<&str>, i64); 4] = [
        (None, -1_174_852_446_369_653_564),
        (Some(""), 632_310_290_824_676_315),
        (Some("eu-1a"), -5_579_547_259_465_297_555),
        (Some("é"), 6_288_242_362_794_545_799),
    ];

    fn topic(partition_count: i32) -> TopicMetadata {
        let high = 0x8123_4567_89ab_cdef_u64 + u64::from(partition_count.unsigned_abs());
        let low = (-i64::from(partition_count)).cast_unsigned();
        TopicMetadata {
            id: TopicId(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()),
            name: TopicName::new(&format!("orders.{partition_count}")).unwrap(),
            partition_count,
        }
    }

    #[test]
    fn topic_hashes_are_those_of_kafka() {
        for (rack, partition_count, expected) in TOPIC_HASHES {
            assert_eq!(topic_hash(&topic(partition_count), rack), expected, "{rack:?} {partition_count}");
        }
    }

    #[test]
    fn group_hashes_are_those_of_kafka() {
        for (rack, expected) in GROUP_HASHES {
            let counts: Vec<i32> =
                TOPIC_HASHES.iter().filter(|(of, ..)| *of == rack).map(|(_, count, _)| *count).collect();
            let image = TopicsImage::new(7, rack, counts.iter().map(|count| topic(*count)));
            let names: Vec<String> = counts.iter().map(|count| format!("orders.{count}")).collect();
            let given = names.iter().rev().chain(&names).map(String::as_str).chain(["unknown"]);
            assert_eq!(image.metadata_hash(given), expected, "{rack:?}");
            assert_eq!(image.metadata_hash(["unknown"]), 0);
        }
    }
}
