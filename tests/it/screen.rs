//! A display for one test: an X server with a window manager, real clicks and keys, and screenshots.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::need::{need, need_program};

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The file of a picture that somebody looks at after the test.
pub fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

/// An X server with a window manager. Both end when it is dropped.
pub struct Display {
    pub name: String,
    processes: Vec<Child>,
    _alone: MutexGuard<'static, ()>,
}

impl Display {
    /// `None`: this machine cannot do it. The reason is printed.
    pub fn open() -> Option<Display> {
        for tool in ["Xvfb", "openbox", "xdotool", "import", "xprop"] {
            need_program(tool)?;
        }
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut server = Command::new("Xvfb");
        server.args(["-screen", "0", "1280x800x24"]);
        Display::start(server, alone)
    }

    /// Two monitors of a server without hardware. `None`: it is not installed, or a desktop is running, which might lose
    /// its screen to this server.
    pub fn with_two_monitors() -> Option<Display> {
        let is_there = Path::new("/usr/lib/xorg/modules/drivers/dummy_drv.so").exists();
        let has_desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|d| std::env::var_os(d).is_some());
        let usable = if !is_there {
            Err("Xorg has no dummy driver (xserver-xorg-video-dummy)")
        } else if has_desktop {
            Err("a desktop is running, from which the server might take the screen")
        } else {
            Ok(())
        };
        need("an X server with two monitors", usable)?;
        drop(Display::open()?); // looks for the other tools
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let config = folder.join("two_monitors.conf");
        let text = "Section \"Device\"\nIdentifier \"d\"\nDriver \"dummy\"\nVideoRam 256000\nEndSection\n\
            Section \"Monitor\"\nIdentifier \"m\"\nHorizSync 5.0-1000.0\nVertRefresh 5.0-200.0\nEndSection\n\
            Section \"Screen\"\nIdentifier \"s\"\nDevice \"d\"\nMonitor \"m\"\nDefaultDepth 24\nEndSection\n\
            Section \"ServerFlags\"\nOption \"AutoAddDevices\" \"false\"\nEndSection\n";
        std::fs::write(&config, text).unwrap();
        let mut server = Command::new("Xorg");
        server
            .arg("-config")
            .arg(&config)
            .arg("-logfile")
            .arg(folder.join("xorg.log"))
            .args(["-novtswitch", "-sharevts"]);
        let display = Display::start(server, alone)?;
        for line in [
            "--output DUMMY0 --mode 1280x960 --pos 0x0",
            "--addmode DUMMY1 1024x768",
            "--output DUMMY1 --mode 1024x768 --pos 1280x0",
            "--query", // makes the server notice that the second one is there
        ] {
            let set =
                Command::new("xrandr").args(line.split(' ')).env("DISPLAY", &display.name).output().map(|o| o.status);
            let is_set = set.is_ok_and(|s| s.success());
            need("an X server with two monitors", is_set.then_some(()).ok_or(format!("`xrandr {line}` failed")))?;
        }
        Some(display)
    }

    fn start(mut server: Command, alone: MutexGuard<'static, ()>) -> Option<Display> {
        let mut server = server
            .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        if number.trim().is_empty() {
            // Both fail only if the process has ended already.
            server.kill().ok();
            server.wait().ok();
            return need("an X server", Err("it does not start here"));
        }
        let name = format!(":{}", number.trim());
        let manager = Command::new("openbox").env("DISPLAY", &name).stderr(Stdio::null()).spawn().unwrap();
        let display = Display { name, processes: vec![manager, server], _alone: alone };
        display.wait_for_manager();
        Some(display)
    }

    /// A window that is mapped while the manager starts may stay hidden, so windows are opened after its start.
    fn wait_for_manager(&self) {
        let is_there = || {
            let mut asked = Command::new("xprop");
            asked.args(["-root", "_NET_SUPPORTING_WM_CHECK"]).env("DISPLAY", &self.name);
            String::from_utf8_lossy(&asked.output().unwrap().stdout).contains("window id #")
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_there() {
            assert!(Instant::now() < deadline, "openbox does not start on {}", self.name);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn xdotool(&self, line: &str) -> String {
        let out = Command::new("xdotool").args(line.split(' ')).env("DISPLAY", &self.name).output().unwrap();
        assert!(out.status.success(), "xdotool {line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// The position on the participant window's page.
    pub fn click(&self, x: i32, y: i32) {
        let windows = self.xdotool("search --onlyvisible --sync --name participant");
        let window = windows.lines().last().unwrap();
        self.xdotool(&format!("mousemove --window {window} {x} {y} sleep 0.05 click 1"));
    }

    pub fn screenshot(&self, name: &str) -> PathBuf {
        let file = file(name);
        let taken = Command::new("import").args(["-window", "root"]).arg(&file).env("DISPLAY", &self.name).status();
        assert!(taken.unwrap().success());
        println!("screenshot: {}", file.display());
        file
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // Both fail only if the process has ended already.
            process.kill().ok();
            process.wait().ok();
        }
    }
}
