// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
//! The agent's life: start, looks, reloads, end.
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::{self, Config, Wrong};
use crate::follower::Follower;
use crate::log::{self, event};
use crate::notify::{Files, Processes};
use crate::shared::Shared;
use crate::system::{Signal, Signals, wait};
use crate::{connections, http, otlp, privileges, ready, system};

/// From being told of something new to the look, so that what comes together is looked at together.
const GATHERING: Duration = Duration::from_millis(20);

/// However much there was to look at.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// A collector that does not answer holds up the end no longer.
const LAST_PUSH: Duration = Duration::from_secs(3);

struct Agent<'a> {
    path: &'a Path,
    shared: Arc<Shared>,
    follower: Follower,
    signals: Signals,
    processes: Option<Processes>,
    files: Option<Files>,
}

/// Err: why it could not start.
pub fn run(path: &Path, config: Config, signals: Signals) -> Result<(), String> {
    let fixed = config.agent.clone();
    let features = uprobe_multi::check().map_err(|error| error.to_string())?;
    if features.backend.is_none() {
        return Err("no probe can be attached here: uprobe-multi check tells why".into());
    }
    let listener = match fixed.listen.as_str() {
        "" => None,
        address => Some(
            http::listen(address)
                .map_err(|error| format!("can not listen at {address}: {error}"))?,
        ),
    };
    let mut agent = Agent::new(path, config, signals);
    if fixed.notify {
        agent.listen_to_kernel();
    }
    if let Err(error) = system::raise_open_files() {
        event!(Warn, "open_files_limit", reason = error);
    }
    if fixed.drop_capabilities {
        let kept = privileges::drop_others(&fixed.keep_capabilities);
        let kept = kept.map_err(|error| format!("can not give up capabilities: {error}"))?;
        event!(Info, "capabilities", kept = kept);
    }
    if let Some(listener) = listener {
        connections::start(listener, &agent.shared)
            .map_err(|error| format!("can not serve: {error}"))?;
    }
    let (end, ended) = mpsc::channel::<()>();
    let (pushing, pushed) = mpsc::channel::<()>();
    let shared = agent.shared.clone();
    let exporter = thread::Builder::new().name("otlp".into()).spawn(move || {
        otlp::run(&shared, &ended);
        drop(pushing);
    });
    exporter.map_err(|error| format!("no thread can be made: {error}"))?;
    agent.live();
    drop(end);
    // Until it lets go of the other end.
    let _ = pushed.recv_timeout(LAST_PUSH);
    Ok(())
}

impl<'a> Agent<'a> {
    fn new(path: &'a Path, config: Config, signals: Signals) -> Self {
        let shared = Arc::new(Shared::default());
        let mut agent = Self {
            path,
            follower: Follower::new(shared.registry.clone(), shared.stats.clone()),
            shared,
            signals,
            processes: None,
            files: None,
        };
        agent.configure(config);
        agent
    }

    fn listen_to_kernel(&mut self) {
        match Processes::new() {
            Ok(processes) => self.processes = Some(processes),
            Err(error) => event!(Warn, "notify", of = "processes", reason = error),
        }
        match Files::new() {
            Ok(files) => self.files = Some(files),
            Err(error) => event!(Warn, "notify", of = "files", reason = error),
        }
        self.shared
            .stats
            .notified
            .store(self.processes.is_some(), Relaxed);
    }

    fn configure(&mut self, config: Config) {
        log::set_level(config.agent.log);
        let config = Arc::new(config);
        self.shared.set_config(config.clone());
        self.follower.configure(config);
    }

    fn live(&mut self) {
        event!(
            Info,
            "started",
            version = uprobe_multi::version(),
            config = self.path.display()
        );
        let mut is_ready = false;
        loop {
            let pause = self.look();
            if !is_ready && !self.signals.is_pending() {
                ready::tell("READY=1");
                is_ready = true;
            }
            match self.rest(pause) {
                Some(Signal::End) => break,
                Some(Signal::Reload) => self.reload(),
                None => {}
            }
        }
        ready::tell("STOPPING=1");
        self.follower.end();
        event!(Info, "ended");
    }

    /// @return how long to rest at least, and at most.
    fn look(&mut self) -> Pause {
        let began = Instant::now();
        let signals = &self.signals;
        let used = self.follower.look(&|| signals.is_pending());
        if let Some(files) = &mut self.files {
            files.watch(&self.follower.directories());
        }
        let config = self.shared.config();
        let share = f64::from(config.limits.cpu) / 100.0;
        let shortest = used.mul_f64(1.0 / share - 1.0).min(LONGEST_REST);
        let longest = config.agent.interval.0.max(shortest);
        self.shared.stats.looked(began.elapsed(), longest);
        Pause { shortest, longest }
    }

    /// Until the next look is due or a signal comes.
    fn rest(&mut self, pause: Pause) -> Option<Signal> {
        let began = Instant::now();
        let mut end = began + pause.longest;
        loop {
            if let Some(signal) = self.signals.next() {
                return Some(signal);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            if self.wait_for_news(left) {
                end = end
                    .min(Instant::now() + GATHERING)
                    .max(began + pause.shortest);
            }
        }
    }

    /// @return whether there is something new to look at.
    fn wait_for_news(&mut self, patience: Duration) -> bool {
        // What is not there is not waited for: poll(2) leaves a negative descriptor out.
        let processes = self.processes.as_ref().map_or(-1, Processes::fd);
        let files = self.files.as_ref().map_or(-1, Files::fd);
        let told = wait(
            &[self.signals.fd(), processes, files],
            patience + Duration::from_millis(1),
        );
        let forks = self.follower.follows_processes();
        let mut news = false;
        if let (true, Some(processes)) = (told[1], &self.processes) {
            news |= processes.drain(forks) && self.follower.needs_processes();
        }
        if let (true, Some(files)) = (told[2], &mut self.files) {
            files.drain();
            news = true;
        }
        news
    }

    fn reload(&mut self) {
        ready::tell("RELOADING=1");
        let stats = self.shared.stats.clone();
        match config::load(self.path) {
            Ok(config) => {
                self.keep_what_is_fixed(&config);
                self.configure(config);
                stats.reloads.ok.add(1);
                stats.reload_failed.store(false, Relaxed);
                stats.configured();
                event!(Info, "reloaded", config = self.path.display());
            }
            Err(wrong) => {
                stats.reloads.failed.add(1);
                stats.reload_failed.store(true, Relaxed);
                self.refuse(&wrong);
            }
        }
        ready::tell("READY=1");
    }

    fn refuse(&self, wrong: &Wrong) {
        event!(
            Error,
            "reload_failed",
            config = self.path.display(),
            reason = wrong
        );
    }

    fn keep_what_is_fixed(&self, new: &Config) {
        let old = self.shared.config();
        let fixed = [
            ("listen", old.agent.listen != new.agent.listen),
            ("notify", old.agent.notify != new.agent.notify),
            (
                "drop_capabilities",
                old.agent.drop_capabilities != new.agent.drop_capabilities,
            ),
            (
                "keep_capabilities",
                old.agent.keep_capabilities != new.agent.keep_capabilities,
            ),
        ];
        for (key, _) in fixed.iter().filter(|(_, changed)| *changed) {
            event!(Warn, "needs_restart", key = key);
        }
    }
}

struct Pause {
    shortest: Duration,
    longest: Duration,
}
