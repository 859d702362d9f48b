//! The network ACLs that the configuration names.

use std::net::IpAddr;
use std::path::Path;

use chrono::TimeDelta;

#[cfg(feature = "aws")]
use super::ec2::Ec2;
#[cfg(feature = "embedded")]
use super::model::Model;
use super::{Acl, AclKey, Database, Direction, Entry, Error, Inventory, NetworkAcls, Place, Settings, Store};

/// Network ACLs of either kind.
#[non_exhaustive]
pub enum AnyNetworkAcls {
    /// The model, in the data directory.
    #[cfg(feature = "embedded")]
    Model(Model),
    /// EC2's.
    #[cfg(feature = "aws")]
    Ec2(Box<Ec2>),
}

impl AnyNetworkAcls {
    /// Opens what the settings name; `dir` is the data directory, which must exist. The model makes a network ACL for each subnet
    /// that it does not know; EC2 is not called yet.
    ///
    /// # Errors
    /// When the model cannot be opened, when the settings cannot work, and when this program was built without the store.
    pub async fn open(settings: &Settings, dir: &Path) -> Result<Self, Error> {
        match settings.store {
            #[cfg(feature = "embedded")]
            Store::Model => Ok(Self::Model(Model::open(dir)?.discover(true))),
            #[cfg(feature = "aws")]
            Store::Ec2 => Ok(Self::Ec2(Box::new(Ec2::connect(settings.ec2.clone()).await?))),
            #[cfg(not(all(feature = "embedded", feature = "aws")))]
            store => Err(missing(store, dir)),
        }
    }

    /// Reads what the guards must know, with more patience than a call has. Without it the first findings might be judged before
    /// it is known, and block nothing.
    ///
    /// # Errors
    /// When it cannot be read; then nothing is blocked until it can.
    pub async fn prepare(&self) -> Result<(), Error> {
        match self {
            #[cfg(feature = "embedded")]
            Self::Model(_) => Ok(()),
            #[cfg(feature = "aws")]
            Self::Ec2(ec2) => ec2.prepare().await,
        }
    }
}

#[cfg(not(all(feature = "embedded", feature = "aws")))]
fn missing(store: Store, dir: &Path) -> Error {
    let (what, feature) = match store {
        Store::Model => (
            format!("the model of network ACLs, which would be in {}", dir.display()),
            "embedded",
        ),
        Store::Ec2 => ("AWS, so it knows no network ACLs on EC2".to_owned(), "aws"),
    };
    Error::new(
        super::Code::InvalidParameter,
        format!(
            "network_acls.store: this program was built without {what}; `cargo build --release --features {feature}` builds one \
             that has it"
        ),
    )
}

/// The same call on whichever store it is.
macro_rules! of {
    ($self:ident, $acls:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "embedded")]
            Self::Model($acls) => $call,
            #[cfg(feature = "aws")]
            Self::Ec2($acls) => $call,
        }
    };
}

// The SDK's futures are large, and a debug build keeps several copies of each on the way down: they live on the heap.
impl NetworkAcls for AnyNetworkAcls {
    fn lag(&self) -> TimeDelta {
        of!(self, acls => acls.lag())
    }

    async fn list(&self) -> Result<Vec<AclKey>, Error> {
        of!(self, acls => Box::pin(acls.list()).await)
    }

    async fn describe_all(&self) -> Result<Vec<(AclKey, Acl)>, Error> {
        of!(self, acls => Box::pin(acls.describe_all()).await)
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, Error> {
        of!(self, acls => Box::pin(acls.describe(key)).await)
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
        of!(self, acls => Box::pin(acls.acl_of(place)).await)
    }

    async fn ensure(&self, place: &Place<'_>) -> Result<(), Error> {
        of!(self, acls => Box::pin(acls.ensure(place)).await)
    }

    async fn reaches_internet(&self, place: &Place<'_>, address: IpAddr) -> Result<bool, Error> {
        of!(self, acls => Box::pin(acls.reaches_internet(place, address)).await)
    }

    async fn database(&self, account: &str, region: &str, identifier: &str) -> Result<Database, Error> {
        of!(self, acls => Box::pin(acls.database(account, region, identifier)).await)
    }

    async fn inventory(&self) -> Result<Inventory, Error> {
        of!(self, acls => Box::pin(acls.inventory()).await)
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        of!(self, acls => Box::pin(acls.create(key, entry)).await)
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        of!(self, acls => Box::pin(acls.replace(key, entry)).await)
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), Error> {
        of!(self, acls => Box::pin(acls.delete(key, direction, rule)).await)
    }
}
