//! Writes OSC packets, including malformed ones.

use rosc::{OscMessage, OscPacket, OscType, encoder};

/// Largest UDP payload on IPv4, bytes.
pub const MAX_DATAGRAM: usize = 65_507;

/// Encodes a message.
pub fn message(address: &str, args: Vec<OscType>) -> Vec<u8> {
    let packet = OscPacket::Message(OscMessage { addr: address.into(), args });
    encoder::encode(&packet).expect("encoding an OSC message")
}

/// Encodes a bundle of `elements`, which are already encoded and may be malformed.
pub fn bundle(elements: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    for element in elements {
        bytes.extend((element.len() as u32).to_be_bytes());
        bytes.extend(element);
    }
    bytes
}

/// Encodes `element` within as many nested bundles as fit into a datagram.
pub fn deepest_bundle(element: &[u8]) -> Vec<u8> {
    /// Number of bytes that each nested bundle adds to the datagram.
    const LEVEL: usize = 20;
    let depth = (MAX_DATAGRAM - element.len()) / LEVEL;
    let mut bytes = Vec::with_capacity(MAX_DATAGRAM);
    for level in (0..depth).rev() {
        bytes.extend(b"#bundle\0\0\0\0\0\0\0\0\x01");
        bytes.extend(((level * LEVEL + element.len()) as u32).to_be_bytes());
    }
    bytes.extend(element);
    bytes
}
