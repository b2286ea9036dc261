//! `[remote_control]`: other programs start and stop the recording.

use serde::{Deserialize, Serialize};

/// The port of LabRecorder's remote control.
pub const REMOTE_CONTROL_PORT: u16 = 22_345;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteControlSettings {
    /// TCP port. 0 is any free one.
    pub port: u16,
    /// Whether other computers of the network may send commands. There is no password.
    pub network: bool,
}

impl Default for RemoteControlSettings {
    fn default() -> Self {
        RemoteControlSettings { port: REMOTE_CONTROL_PORT, network: false }
    }
}

impl RemoteControlSettings {
    /// Where the program listens.
    pub fn address(&self) -> std::net::SocketAddr {
        let ip = if self.network { std::net::Ipv4Addr::UNSPECIFIED } else { std::net::Ipv4Addr::LOCALHOST };
        (ip, self.port).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::Study;

    #[test]
    fn it_is_off_by_default_and_only_this_computer_may_use_it() {
        let study = |more: &str| Study::parse(&format!("name = \"a\"\ntitle = \"A\"\n{more}")).unwrap();
        assert_eq!(study("").remote_control, None);
        let control = study("[remote_control]\n").remote_control.unwrap();
        assert_eq!(control.address().to_string(), "127.0.0.1:22345");
        let control = study("[remote_control]\nport = 9000\nnetwork = true\n").remote_control.unwrap();
        assert_eq!(control.address().to_string(), "0.0.0.0:9000");
    }
}
