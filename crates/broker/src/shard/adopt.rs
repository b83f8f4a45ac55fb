//! Takes topics into a stopped data directory whose logs another broker has written.
//!
//! The catalog comes last: until it has a topic, the topic's directories belong to nobody, and the next start sets them
//! aside.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_control::catalog::{Catalog, Command, CreateTopic, Reply};
use ottla_control::machine::Caller;
use ottla_log::{Disk, RealDisk};
use ottla_model::{LeaderEpoch, Offset, PartitionIndex, WallMillis};

use super::Coordinator;
use super::checkpoints::Checkpoints;
use super::data_dir::{DataDir, Lock};
use super::open::{Opener, Seams};
use super::partition::{CommitStage, Needs, Partition};
use super::strays::{self, STAGING};
use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::error::OpenError;
use crate::settings::Settings;

/// A topic whose logs lie ready.
#[derive(Debug)]
pub(crate) struct TopicToAdopt {
    /// What the catalog is to have. Its id is the one in the logs' directories.
    pub(crate) create: CreateTopic,
    /// Its logs, by number.
    pub(crate) logs: Vec<LogToAdopt>,
}

/// A closed log outside of its place.
#[derive(Debug)]
pub(crate) struct LogToAdopt {
    /// Where it is.
    pub(crate) directory: PathBuf,
    /// The first offset that can be read.
    pub(crate) start: Offset,
    /// The offset that the next record will have. Everything before it is on disk.
    pub(crate) end: Offset,
}

/// Everything counts as committed when it is appended: nobody is told before it was synced.
#[derive(Debug)]
struct AtOnce;

impl CommitStage for AtOnce {
    fn appended(&self, partition: &Arc<Partition>, end: Offset, _sync: Needs) {
        partition.commit(end);
    }
}

/// A data directory that takes in topics. No broker can use it meanwhile.
pub(crate) struct Adoption {
    data_dir: DataDir,
    settings: Settings,
    checkpoints: Checkpoints,
    catalog: Arc<Coordinator<Catalog>>,
    clock: Arc<dyn Clock>,
}

impl Adoption {
    /// Opens the data directory, making it if it is missing, and clears away what an earlier import left.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let mut settings = Settings::default();
        // It is the directory that knows which node it belongs to.
        if let Some(node_id) = DataDir::stored_node_id(&*disk, path) {
            settings.node_id = node_id;
        }
        let mut random = SystemRandom::new();
        let data_dir = DataDir::open(disk, path, Lock::File, settings.node_id, &mut random)?;
        let mut checkpoints = Checkpoints::read(&*data_dir.disk, path);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let opener = Opener {
            data_dir: &data_dir,
            settings: &settings,
            clock: &clock,
            seams: &Seams::one_node(Arc::new(AtOnce)),
            synced: false,
        };
        let catalog = opener.catalog(&checkpoints)?;
        let known = catalog.look(|catalog| catalog.topics().cloned().collect::<Vec<_>>());
        strays::sort_out(&data_dir, &known);
        strays::forget_checkpoints(&data_dir, &known, &mut checkpoints)?;
        Ok(Self { data_dir, settings, checkpoints, catalog, clock })
    }

    /// The settings that topics inherit.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The disk that the directory is on.
    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.data_dir.disk
    }

    /// The time.
    pub(crate) fn now(&self) -> WallMillis {
        self.clock.wall()
    }

    /// A directory for logs that are not ready yet; it is not there at first, and the next start removes it.
    pub(crate) fn staging(&self) -> PathBuf {
        self.data_dir.path.join(STAGING)
    }

    /// Tells why the catalog would refuse a topic.
    pub(crate) fn check(&self, create: CreateTopic) -> Result<(), String> {
        self.create(create, true)
    }

    /// Moves topics to their places and creates them. A leader epoch of the directory below `leader_epoch` is raised to
    /// it.
    pub(crate) fn take(
        &mut self,
        topics: Vec<TopicToAdopt>,
        leader_epoch: LeaderEpoch,
    ) -> Result<(), String> {
        let wrong = |error: io::Error| error.to_string();
        self.data_dir.begin().map_err(wrong)?;
        self.data_dir.raise_leader_epoch(leader_epoch).map_err(wrong)?;
        self.write_checkpoints(&topics).map_err(wrong)?;
        let mut moved = Vec::new();
        if let Err(error) = self.move_in(&topics, &mut moved) {
            for directory in moved {
                // What stays is set aside by the next start.
                let _ = self.data_dir.disk.remove_dir_all(&directory);
            }
            return Err(error.to_string());
        }
        topics.into_iter().try_for_each(|topic| self.create(topic.create, false))
    }

    fn write_checkpoints(&mut self, topics: &[TopicToAdopt]) -> io::Result<()> {
        let (disk, path) = (&*self.data_dir.disk, &self.data_dir.path);
        let (points, starts) = topics
            .iter()
            .flat_map(each_log)
            .map(|(name, log)| {
                let point = (name.clone(), log.end);
                (point, (name, log.start))
            })
            .unzip::<_, _, Vec<_>, Vec<_>>();
        self.checkpoints.add_recovery_points(disk, path, points)?;
        self.checkpoints.set_log_starts(disk, path, starts)
    }

    fn move_in(&self, topics: &[TopicToAdopt], moved: &mut Vec<PathBuf>) -> io::Result<()> {
        let disk = &self.data_dir.disk;
        for ((topic, index), log) in topics.iter().flat_map(each_log) {
            let place = self.data_dir.path.join(format!("{topic}-{index}"));
            disk.rename(&log.directory, &place)?;
            moved.push(place);
        }
        disk.sync_dir(&self.data_dir.path)
    }

    fn create(&self, topic: CreateTopic, validate_only: bool) -> Result<(), String> {
        let command = Command::CreateTopics { topics: vec![topic], validate_only };
        let caller = Caller { client_id: None, client_host: "/".into() };
        let reply = self.catalog.submit(caller, command).try_recv();
        let Ok(Reply::Created(created)) = reply else { return Err("the catalog gave no answer".to_owned()) };
        created.into_iter().try_for_each(|topic| topic.map(drop)).map_err(|refusal| refusal.message)?;
        if validate_only {
            return Ok(());
        }
        self.catalog.partition().log().sync().map_err(|error| error.to_string())
    }

    /// Removes what is left in the staging directory and lets go of the data directory, which is as cleanly stopped as it
    /// was before.
    pub(crate) fn close(mut self) -> Result<(), String> {
        let staging = self.staging();
        match self.data_dir.disk.remove_dir_all(&staging) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
        self.catalog.unload();
        let catalog = self.catalog.partition();
        let closed = catalog.log().close(self.now()).map_err(|error| error.to_string())?;
        if closed.recovery_point > 0 {
            let point = ((catalog.topic.clone(), catalog.index), closed.recovery_point);
            let (disk, path) = (&*self.data_dir.disk, &self.data_dir.path);
            self.checkpoints.add_recovery_points(disk, path, [point]).map_err(|error| error.to_string())?;
        }
        if self.data_dir.clean {
            self.data_dir.mark_clean().map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn each_log(topic: &TopicToAdopt) -> impl Iterator<Item = (super::checkpoints::Named, &LogToAdopt)> {
    let name = &topic.create.name;
    (0..).zip(&topic.logs).map(move |(index, log): (PartitionIndex, _)| ((name.clone(), index), log))
}
