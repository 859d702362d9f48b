//! EC2's network ACLs, over all accounts and regions that the configuration names.
//!
//! Each account is reached by a role of its own, each region by a client of its own, and every call ends within
//! [`CALL`](super::CALL). What is asked for with every finding is remembered for minutes: subnets and routes, and the inventory of
//! our own addresses, which has to be whole and fresh, or nothing is blocked. Entries are never remembered.
//!
//! | what | actions that the role needs |
//! |---|---|
//! | look | `ec2:DescribeNetworkAcls`, `DescribeSubnets`, `DescribeRouteTables`; with `policy.rds_logins` also `rds:DescribeDBInstances` on `db:*` |
//! | guard | `ec2:DescribeNetworkInterfaces`, `DescribeVpcs`, `DescribeVpcPeeringConnections`, `DescribeManagedPrefixLists`, `GetManagedPrefixListEntries` |
//! | act | `ec2:CreateNetworkAclEntry`, `ReplaceNetworkAclEntry`, `DeleteNetworkAclEntry` on `network-acl/*` |

mod bucket;
mod clients;
mod databases;
mod describe;
mod entries;
mod error;
mod inventory;
mod ip_ranges;
mod rds;
mod routes;
mod subnets;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use chrono::Utc;

use self::clients::{Clients, PATIENCE, Regional};
use self::databases::Databases;
use self::describe::Guard;
use self::inventory::Keeper;
use self::subnets::Subnets;
use super::{Acl, AclKey, Code, Database, Direction, Ec2Settings, Entry, Error, Inventory, NetworkAcls, Place};

/// How long a program that begins waits for the first inventory.
const BEGINNING: Duration = Duration::from_secs(120);

/// Network ACLs on EC2.
#[derive(Debug)]
pub struct Ec2 {
    settings: Arc<Ec2Settings>,
    clients: Arc<Clients>,
    inventory: Arc<Keeper>,
    subnets: Subnets,
    databases: Databases,
}

impl Ec2 {
    /// With credentials and endpoint from the standard AWS variables and files. Calls nothing yet.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when the settings cannot work.
    pub async fn connect(settings: Ec2Settings) -> Result<Self, Error> {
        let config = aws_config::defaults(BehaviorVersion::latest());
        let config = match settings.regions.first() {
            // Roles are assumed there.
            Some(region) => config.region(aws_config::Region::new(region.clone())),
            None => config,
        };
        Self::new(&config.load().await, settings)
    }

    /// With credentials and endpoint of `config`. Calls nothing yet.
    ///
    /// # Errors
    /// [`Code::InvalidParameter`] when the settings cannot work.
    pub fn new(config: &SdkConfig, settings: Ec2Settings) -> Result<Self, Error> {
        if let Some(problem) = settings.problems().first() {
            let message = format!("network_acls.ec2.{} {}", problem.key, problem.message);
            return Err(Error::new(Code::InvalidParameter, message));
        }
        let settings = Arc::new(settings);
        let clients = Arc::new(Clients::new(config.clone(), Arc::clone(&settings)));
        Ok(Self {
            inventory: Keeper::new(Arc::clone(&settings), Arc::clone(&clients)),
            settings,
            clients,
            subnets: Subnets::default(),
            databases: Databases::default(),
        })
    }

    /// Reads the inventory with more patience than a call has: before a program begins to take findings. Beside it, every subnet's
    /// network ACL and routes, in two calls or few more: asked for one by one they are four calls for each.
    ///
    /// # Errors
    /// The first account and region whose inventory cannot be read. What is not learned of subnets is asked for when it is needed.
    pub async fn prepare(&self) -> Result<(), Error> {
        let subnets = tokio::time::timeout(BEGINNING, self.learn_subnets());
        let (inventory, learned) = tokio::join!(self.inventory.within(BEGINNING, Utc::now()), subnets);
        if !matches!(learned, Ok(Ok(()))) {
            tracing::debug!("the subnets are asked for one by one");
        }
        inventory.map(drop)
    }

    async fn learn_subnets(&self) -> Result<(), Error> {
        let ask = |at: Arc<Regional>| async move {
            let (guards, tables) = tokio::join!(describe::guards(&at), routes::of_region(&at));
            (at, guards.unwrap_or_default(), tables.unwrap_or_default())
        };
        let learned = self.clients.each(ask, |(at, guards, tables)| {
            let now = Utc::now();
            for (key, vpc, subnets) in guards {
                self.subnets.learn(&key, &subnets, now);
                for subnet in &subnets {
                    let place = Place {
                        account: &at.account,
                        region: &at.region,
                        vpc: None,
                        subnet,
                    };
                    if let Some(routes) = tables.of(subnet, vpc.as_deref()) {
                        self.subnets.learn_routes(&place, routes.to_vec(), now);
                    }
                }
            }
            Ok(())
        });
        learned.await
    }

    async fn guard(&self, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
        let mut account = place.account.to_owned();
        // A subnet that is shared leads to its owner, and no further.
        for _ in 0..2 {
            if !self.clients.reaches(&account, place.region) {
                return Ok(None);
            }
            let at = self.clients.at(&account, place.region).await?;
            match describe::of_subnet(&at, place.subnet).await? {
                Guard::Of(key, subnets) => {
                    self.subnets.learn(&key, &subnets, Utc::now());
                    return Ok(Some(key));
                }
                Guard::SharedBy(owner) => account = owner,
                Guard::Unknown => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// What takes several requests ends within the time of one call, too.
async fn in_time<T>(place: &Place<'_>, work: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let ended = tokio::time::timeout(PATIENCE, work).await;
    ended.unwrap_or_else(|_| {
        let Place {
            account,
            region,
            subnet,
            ..
        } = place;
        let message = format!("{subnet} in {account} {region}: EC2 takes too long; it is tried again");
        Err(Error::new(Code::Unavailable, message))
    })
}

impl NetworkAcls for Ec2 {
    async fn list(&self) -> Result<Vec<AclKey>, Error> {
        let mut found = Vec::new();
        let ask = |at: Arc<Regional>| async move { describe::list(&at).await };
        let take = |listed: Result<Vec<AclKey>, Error>| {
            found.extend(listed?);
            Ok(())
        };
        self.clients.each(ask, take).await?;
        found.sort();
        Ok(found)
    }

    async fn describe_all(&self) -> Result<Vec<(AclKey, Acl)>, Error> {
        let mut found = Vec::new();
        let quota = self.settings.quota;
        let ask = move |at: Arc<Regional>| async move { describe::all(&at, quota).await };
        let take = |described: Result<Vec<(AclKey, Acl)>, Error>| {
            found.extend(described?);
            Ok(())
        };
        self.clients.each(ask, take).await?;
        Ok(found)
    }

    async fn describe(&self, key: &AclKey) -> Result<Acl, Error> {
        let at = Box::pin(self.clients.at(&key.account, &key.region)).await?;
        let described = describe::one(&at, &key.acl, self.settings.quota).await;
        match &described {
            Ok(acl) => self.subnets.learn(key, &acl.subnets, Utc::now()),
            Err(error) if error.code == Code::AclNotFound => self.subnets.forget(key),
            Err(_) => {}
        }
        described
    }

    async fn acl_of(&self, place: &Place<'_>) -> Result<Option<AclKey>, Error> {
        if let Some(known) = self.subnets.acl(place, Utc::now()) {
            return Ok(Some(known));
        }
        in_time(place, self.guard(place)).await
    }

    async fn reaches_internet(&self, place: &Place<'_>, address: IpAddr) -> Result<bool, Error> {
        if let Some(known) = self.subnets.reaches(place, address, Utc::now()) {
            return Ok(known);
        }
        in_time(place, async {
            let Some(key) = Box::pin(self.acl_of(place)).await? else {
                return Ok(false);
            };
            let at = Box::pin(self.clients.at(&key.account, &key.region)).await?;
            let vpc = Box::pin(self.describe(&key)).await?.vpc;
            let routes = Box::pin(routes::of_subnet(&at, place.subnet, vpc.as_deref())).await?;
            let reaches = routes::reach(&routes, address);
            self.subnets.learn_routes(place, routes, Utc::now());
            Ok(reaches)
        })
        .await
    }

    async fn database(&self, account: &str, region: &str, identifier: &str) -> Result<Database, Error> {
        if !self.clients.reaches(account, region) {
            return Ok(Database::Unknown);
        }
        let at = Box::pin(self.clients.at(account, region)).await?;
        self.databases.of(&at, identifier, Utc::now()).await
    }

    async fn inventory(&self) -> Result<Inventory, Error> {
        self.inventory.get(Utc::now()).await
    }

    async fn create(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        let at = Box::pin(self.clients.at(&key.account, &key.region)).await?;
        entries::create(&at, &key.acl, entry).await
    }

    async fn replace(&self, key: &AclKey, entry: &Entry) -> Result<(), Error> {
        let at = Box::pin(self.clients.at(&key.account, &key.region)).await?;
        entries::replace(&at, &key.acl, entry).await
    }

    async fn delete(&self, key: &AclKey, direction: Direction, rule: u16) -> Result<(), Error> {
        let at = Box::pin(self.clients.at(&key.account, &key.region)).await?;
        entries::delete(&at, &key.acl, direction, rule).await
    }
}
