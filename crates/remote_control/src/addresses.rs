//! Where a program listens or is reached: an address, or a name, and a port.

use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use super::{Command, SendError, send};

/// `127.0.0.1:22345`, `[::1]:22345`, `localhost:22345`. A name may have several addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    text: String,
    /// At least one.
    found: Vec<SocketAddr>,
}

impl FromStr for Addresses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(format!("`{text}` is no address with a port: write for example localhost:22345"));
        }
        let found: Vec<SocketAddr> =
            text.to_socket_addrs().map_err(|e| format!("the name `{host}` was not found: {e}"))?.collect();
        if found.is_empty() {
            return Err(format!("the name `{host}` has no address"));
        }
        Ok(Addresses { text: text.to_owned(), found })
    }
}

impl Addresses {
    /// The address to listen at. A name stands for this computer alone, unless `network`: it may have come to mean another address
    /// than its author knows. An address in numbers is taken as it is.
    pub fn to_listen(&self, network: bool) -> Result<SocketAddr, String> {
        let is_number = self.text.parse::<SocketAddr>().is_ok();
        let local = || self.found.iter().find(|address| address.ip().is_loopback());
        let any = || self.found.first().filter(|_| is_number || network);
        local().or_else(any).copied().ok_or_else(|| {
            format!(
                "`{}` is an address of the network. Every computer there could start and stop recordings: write the address in \
                 numbers, or set `network = true` under `[remote_control]` in the study",
                self.text
            )
        })
    }

    /// Sends the command to the first address that is reached.
    pub fn send(&self, command: &Command) -> Result<(), SendError> {
        let mut last = None;
        for address in &self.found {
            match send(*address, command) {
                Err(e @ SendError::Connect { .. }) => last = Some(e),
                other => return other,
            }
        }
        // There is at least one address.
        last.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_other_texts_are_refused() {
        let of = |text: &str| text.parse::<Addresses>();
        assert!(of("localhost:22345").unwrap().found.iter().all(|a| a.ip().is_loopback() && a.port() == 22_345));
        assert_eq!(of("[::1]:9000").unwrap().found, ["[::1]:9000".parse().unwrap()]);
        for bad in ["", "localhost", ":22345", "localhost:", "localhost:many", "127.0.0.1:70000", "::1"] {
            assert!(of(bad).is_err(), "{bad}");
        }
        assert!(of("no-such-host.invalid:22345").unwrap_err().contains("was not found"));
    }

    #[test]
    fn a_name_does_not_open_the_port_to_the_network() {
        let listen = |text: &str, network| text.parse::<Addresses>().unwrap().to_listen(network);
        assert!(listen("localhost:0", false).unwrap().ip().is_loopback());
        assert_eq!(listen("0.0.0.0:9000", false).unwrap().to_string(), "0.0.0.0:9000");
        let named = Addresses { text: "lab-pc:9000".to_owned(), found: vec!["192.0.2.7:9000".parse().unwrap()] };
        assert!(named.to_listen(false).unwrap_err().contains("`network = true`"));
        assert_eq!(named.to_listen(true).unwrap().to_string(), "192.0.2.7:9000");
    }
}
