//! The peers that are written in Rust. The others are in `benches/python` and `benches/peers`.

mod floor;
mod product;
mod value;

use anyhow::{Result, bail};

use crate::case::Case;

/// Something that answers a Firehose transformation event.
pub(crate) trait Peer {
    /// Looks at the event before it is timed.
    fn prepare(&mut self, _event: &[u8]) -> Result<()> {
        Ok(())
    }

    /// The whole response to the whole event.
    fn invoke(&mut self, event: &[u8]) -> Result<Vec<u8>>;
}

/// The peer of this name.
pub(crate) fn find(name: &str, case: &'static Case) -> Result<Box<dyn Peer>> {
    use portcullis_transforms::Schema::{Ecs, Native};
    Ok(match name {
        "product" => Box::new(product::Product::new(case, Ecs)?),
        "native" => Box::new(product::Product::new(case, Native)?),
        "floor" => Box::new(floor::Floor::new(case)),
        "memcpy" => Box::new(floor::Memcpy::new(case)),
        "value" => Box::new(value::ValuePeer::new(case)?),
        _ => bail!("there is no peer `{name}`"),
    })
}

/// Whether the `serde_json::Value` peer knows the case.
pub(crate) fn knows_value(case: &Case) -> bool {
    value::knows(case)
}

/// What a peer in Rust answers to an event.
pub(crate) fn answer(name: &str, case: &'static Case, event: &[u8]) -> Result<Vec<u8>> {
    let mut peer = find(name, case)?;
    peer.prepare(event)?;
    peer.invoke(event)
}
