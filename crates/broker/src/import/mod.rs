//! Takes topics that Apache Kafka has written into a stopped data directory.
//!
//! The folders are Kafka's own format and so are Ottla's, so the batches are copied as they are, each after it was
//! checked: offsets, timestamps, keys, values and headers stay. What follows from the batches (indexes, leader epochs) is
//! made anew. Producers are forgotten, except those with an open transaction: their ids belong to another cluster, and the
//! same ids mean other producers here.

mod copy;
mod source;
mod stage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ottla_control::catalog::CreateTopic;
use ottla_model::{LeaderEpoch, NO_LEADER_EPOCH, Offset, PartitionIndex, Random, TopicId, TopicName};
use tracing::info;

use crate::clock::SystemRandom;
use crate::error::OpenError;
use crate::settings::{Overrides, check_overrides};
use crate::shard::{Adoption, TopicToAdopt};
use source::{Folder, Source};

/// Topics whose names begin so belong to a broker, and are only taken when they are named.
const INTERNAL_PREFIX: &str = "__";

/// What to import, and where to.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Ottla's data directory. It is made if it is missing.
    pub data_dir: PathBuf,
    /// Kafka's data directories, all of `log.dirs`. They are only read.
    pub from: Vec<PathBuf>,
    /// The topics; none for every topic whose name does not begin with two underscores.
    pub topics: Vec<String>,
    /// Settings of the imported topics, by Kafka's names. They cannot be known from the folders.
    pub configs: Vec<(String, String)>,
}

/// A topic that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTopic {
    /// Its name.
    pub name: String,
    /// Its partitions, by number.
    pub partitions: Vec<ImportedPartition>,
}

/// A partition that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPartition {
    /// The first offset that can be read.
    pub start: Offset,
    /// The offset that the next record will have.
    pub end: Offset,
    /// How many records there are, control records and those before the start included.
    pub records: u64,
    /// Bytes of their batches.
    pub bytes: u64,
    /// Bytes at the end that were left out, since Kafka had not stopped cleanly and they are no whole batch or follow
    /// one that is none.
    pub bytes_cut: u64,
    /// True when offsets are missing in between, as compaction leaves them.
    pub has_gaps: bool,
    /// Where a transaction begins that nobody has ended.
    pub open_transaction: Option<Offset>,
}

/// Why an import failed. One line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Ottla's data directory cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Ottla's data directory could not be changed.
    #[error("cannot write to the data directory {path}: {reason}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A directory of Kafka's cannot be used.
    #[error("cannot import from {path}: {reason}")]
    Source {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A topic cannot be imported.
    #[error("cannot import topic {topic}: {reason}")]
    Topic {
        /// Its name.
        topic: String,
        /// What is wrong.
        reason: String,
    },
    /// The settings for the topics do not fit.
    #[error("{0}")]
    Config(String),
}

/// The folders of a topic, by number.
type Folders = Vec<Folder>;

/// Imports topics: all that were asked for, or none.
///
/// Everything is copied and checked next to its place first. A crash at any moment leaves the data directory as it was, or
/// with a topic and all its records; what else it leaves is cleared or set aside by the next start.
///
/// # Errors
/// [`ImportError`]; nothing was imported then. Only a disk that fails while the catalog is written can leave some of the
/// topics, each of them whole.
pub fn import(import: &Import) -> Result<Vec<ImportedTopic>, ImportError> {
    let sources = import.from.iter().map(|path| Source::open(path)).collect::<Result<Vec<_>, _>>()?;
    let chosen = choose(import, &sources)?;
    let mut adoption = Adoption::open(&import.data_dir)?;
    let imported = import_into(&mut adoption, import, chosen);
    let closed =
        adoption.close().map_err(|reason| ImportError::DataDir { path: import.data_dir.clone(), reason });
    imported.and_then(|imported| closed.map(|()| imported))
}

/// The topics that were asked for, each with its folders.
fn choose(import: &Import, sources: &[Source]) -> Result<BTreeMap<TopicName, Folders>, ImportError> {
    let mut found: BTreeMap<TopicName, BTreeMap<PartitionIndex, Folder>> = BTreeMap::new();
    for ((topic, index), folder) in sources.iter().flat_map(Source::folders) {
        if let Some(twin) = found.entry(topic.clone()).or_default().insert(index, folder.clone()) {
            let reason =
                format!("{} and {} are the same partition", twin.path.display(), folder.path.display());
            return Err(ImportError::Topic { topic: topic.to_string(), reason });
        }
    }
    if import.topics.is_empty() {
        found.retain(|topic, _| !topic.as_str().starts_with(INTERNAL_PREFIX));
    } else {
        check_named(import, |topic| found.keys().any(|name| name.as_str() == topic))?;
        found.retain(|topic, _| import.topics.iter().any(|named| named == topic.as_str()));
    }
    if found.is_empty() {
        let path = import.from.first().cloned().unwrap_or_default();
        return Err(ImportError::Source { path, reason: "there are no folders of topics".to_owned() });
    }
    found.into_iter().map(|(topic, folders)| Ok((topic.clone(), in_order(&topic, folders)?))).collect()
}

fn check_named(import: &Import, is_found: impl Fn(&str) -> bool) -> Result<(), ImportError> {
    for topic in &import.topics {
        let refuse = |reason: &str| ImportError::Topic { topic: topic.clone(), reason: reason.to_owned() };
        let name = TopicName::new(topic).map_err(|illegal| refuse(&format!("the name {illegal}")))?;
        if name.is_internal() || topic == ottla_model::CLUSTER_METADATA {
            return Err(refuse("it belongs to the broker; Ottla has its own"));
        }
        if !is_found(topic) {
            return Err(refuse("there is no folder of it"));
        }
    }
    Ok(())
}

/// The folders as a list, when no partition is missing.
fn in_order(topic: &TopicName, folders: BTreeMap<PartitionIndex, Folder>) -> Result<Folders, ImportError> {
    match (0..).zip(folders.keys()).find(|(expected, index)| expected != *index) {
        None => Ok(folders.into_values().collect()),
        Some((missing, _)) => {
            let reason = format!(
                "there is no folder {topic}-{missing}; give every directory of log.dirs with --from, \
                 on a broker that has all partitions"
            );
            Err(ImportError::Topic { topic: topic.to_string(), reason })
        }
    }
}

fn import_into(
    adoption: &mut Adoption,
    import: &Import,
    chosen: BTreeMap<TopicName, Folders>,
) -> Result<Vec<ImportedTopic>, ImportError> {
    let given = import.configs.iter().map(|(name, value)| (name.as_str(), Some(value.as_str())));
    let configs = check_overrides(adoption.settings(), given).map_err(ImportError::Config)?;
    let chosen = requests(chosen, &configs);
    for (create, _) in &chosen {
        let refuse = |reason| ImportError::Topic { topic: create.name.to_string(), reason };
        adoption.check(create.clone()).map_err(refuse)?;
    }
    let mut leader_epoch = NO_LEADER_EPOCH;
    let (mut topics, mut imported) = (Vec::new(), Vec::new());
    for (create, folders) in chosen {
        let (partitions, topic) = stage_topic(adoption, create, &folders, &mut leader_epoch)?;
        imported.push(ImportedTopic { name: topic.create.name.to_string(), partitions });
        topics.push(topic);
    }
    adoption
        .take(topics, leader_epoch)
        .map_err(|reason| ImportError::DataDir { path: import.data_dir.clone(), reason })?;
    Ok(imported)
}

/// What the catalog will be asked for, with ids that the folders can have before that.
fn requests(chosen: BTreeMap<TopicName, Folders>, configs: &Overrides) -> Vec<(CreateTopic, Folders)> {
    let mut random = SystemRandom::new();
    let request = |(name, folders): (TopicName, Folders)| {
        let partitions = PartitionIndex::try_from(folders.len()).unwrap_or(PartitionIndex::MAX);
        let id = Some(TopicId::from_random(random.next_u128()));
        (CreateTopic { name, partitions, configs: configs.clone(), id }, folders)
    };
    chosen.into_iter().map(request).collect()
}

fn stage_topic(
    adoption: &Adoption,
    create: CreateTopic,
    folders: &[Folder],
    leader_epoch: &mut LeaderEpoch,
) -> Result<(Vec<ImportedPartition>, TopicToAdopt), ImportError> {
    let (mut partitions, mut logs) = (Vec::new(), Vec::new());
    for (index, folder) in (0..).zip(folders) {
        let staged = stage::stage(adoption, &create, index, folder)
            .map_err(|reason| ImportError::Topic { topic: create.name.to_string(), reason })?;
        info!(folder = %folder.path.display(), records = staged.partition.records, "copied and checked");
        *leader_epoch = staged.leader_epoch.max(*leader_epoch);
        partitions.push(staged.partition);
        logs.push(staged.log);
    }
    Ok((partitions, TopicToAdopt { create, logs }))
}

fn in_source(path: &Path, error: &std::io::Error) -> ImportError {
    ImportError::Source { path: path.to_owned(), reason: error.to_string() }
}
