//! File systems that a test may break.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use ottla_tests::problem::{Doing, Problem};

/// Enough for the data of a run, its history apart.
const DISK_BYTES: u64 = 256 << 20;
/// What a ballast is written in.
const BALLAST_CHUNK_BYTES: usize = 1 << 16;
/// Shuts a file system down as a cut of the power would: nothing more reaches the device, not even the journal
/// (`EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`). The standard library has no such call.
const SHUTDOWN: &str = "import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// A file system in memory. It goes when it is dropped.
pub(crate) struct Tmpfs {
    directory: PathBuf,
}

impl Tmpfs {
    /// Mounts one of this size on `directory`, which is made.
    pub(crate) fn mount(directory: &Path, megabytes: u32) -> Result<Self, Problem> {
        std::fs::create_dir(directory).doing("make a mount point")?;
        let size = format!("size={megabytes}m");
        run(
            "mount",
            ["-t".as_ref(), "tmpfs".as_ref(), "-o".as_ref(), size.as_ref(), "tmpfs".as_ref()],
            directory,
        )?;
        Ok(Self { directory: directory.to_owned() })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Remounts it; `how` is `ro` or `rw`.
    pub(crate) fn remount(&self, how: &str) -> Result<(), Problem> {
        remount(how, &self.directory)
    }

    /// Takes all the space that is left.
    pub(crate) fn fill(&self) -> Result<Ballast, Problem> {
        let path = self.directory.join("ballast");
        let mut file = File::create(&path).doing("make a ballast")?;
        let chunk = vec![0; BALLAST_CHUNK_BYTES];
        loop {
            match file.write_all(&chunk) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(Ballast { path }),
                Err(error) => return Err(error).doing("fill the disk"),
            }
        }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = run("umount", ["--lazy".as_ref()], &self.directory);
    }
}

/// What fills a disk.
pub(crate) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    /// Gives the space back.
    pub(crate) fn drop_it(self) -> Result<(), Problem> {
        std::fs::remove_file(&self.path).doing("remove the ballast")
    }
}

/// An ext4 file system on a loop device, whose image lies in memory. It goes when it is dropped.
pub(crate) struct Disk {
    image: PathBuf,
    directory: PathBuf,
    _memory: Tmpfs,
}

impl Disk {
    /// What this machine lacks to mount one, in words.
    pub(crate) fn missing() -> Option<String> {
        let directory = tempfile::tempdir().ok()?;
        Self::mount(directory.path()).err().map(|problem| format!("no ext4 on a loop device: {problem}"))
    }

    /// Makes one and mounts it in `directory`.
    pub(crate) fn mount(directory: &Path) -> Result<Self, Problem> {
        let memory =
            Tmpfs::mount(&directory.join("memory"), u32::try_from(DISK_BYTES >> 19).unwrap_or(u32::MAX))?;
        let image = memory.directory().join("image");
        File::create(&image).and_then(|file| file.set_len(DISK_BYTES)).doing("make an image")?;
        run("mkfs.ext4", ["-q".as_ref(), "-F".as_ref()], &image)?;
        let mounted = directory.join("disk");
        std::fs::create_dir(&mounted).doing("make a mount point")?;
        let disk = Self { image, directory: mounted, _memory: memory };
        disk.attach()?;
        Ok(disk)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Cuts the power: what has not reached the device never does.
    pub(crate) fn cut(&self) -> Result<(), Problem> {
        run("python3", ["-c".as_ref(), SHUTDOWN.as_ref()], &self.directory)
    }

    /// Has the kernel give up on it and turn it read-only, as after an error of the device.
    pub(crate) fn abort(&self) -> Result<(), Problem> {
        self.remount("abort")
    }

    /// Remounts it.
    pub(crate) fn remount(&self, how: &str) -> Result<(), Problem> {
        remount(how, &self.directory)
    }

    /// Unmounts it, repairs it when it needs that, and mounts it again, which replays its journal. Nobody may use it.
    pub(crate) fn restore(&self) -> Result<(), Problem> {
        run("umount", [], &self.directory)?;
        // Exit code 1 says that errors were corrected.
        let check = Command::new("e2fsck").arg("-p").arg(&self.image).output().doing("run e2fsck")?;
        if check.status.code().is_none_or(|code| code > 1) {
            return Err(Problem::new(format!("e2fsck: {}", String::from_utf8_lossy(&check.stdout))));
        }
        self.attach()
    }

    fn attach(&self) -> Result<(), Problem> {
        run(
            "mount",
            ["-o".as_ref(), "loop,errors=remount-ro".as_ref(), self.image.as_os_str()],
            &self.directory,
        )
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", [], &self.directory);
    }
}

fn remount(how: &str, directory: &Path) -> Result<(), Problem> {
    let options = format!("remount,{how}");
    run("mount", ["-o".as_ref(), options.as_ref()], directory)
}

/// Runs a program with these arguments and a path.
fn run<const N: usize>(program: &str, arguments: [&OsStr; N], path: &Path) -> Result<(), Problem> {
    let output =
        Command::new(program).args(arguments).arg(path).output().doing(format_args!("run {program}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or_default();
    Err(Problem::new(format!("{program} failed with {}: {said}", output.status)))
}
