//! Networks, made for one question: does any of them overlap this one?
//!
//! An estate has thousands of addresses and networks, and each address of each finding is asked about.

use std::sync::Arc;

use ipnet::IpNet;

use super::canonical;

/// A set of networks. To clone it costs next to nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nets(Vec<Arc<Ranges>>);

/// First and last addresses, in order; none touches the next.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Nets {
    /// Whether one of them shares an address with `net`, which is canonical.
    #[must_use]
    pub fn overlap(&self, net: IpNet) -> bool {
        self.0.iter().any(|ranges| match net {
            IpNet::V4(net) => meets(&ranges.v4, net.network().into(), net.broadcast().into()),
            IpNet::V6(net) => meets(&ranges.v6, net.network().into(), net.broadcast().into()),
        })
    }
}

impl FromIterator<IpNet> for Nets {
    fn from_iter<T: IntoIterator<Item = IpNet>>(nets: T) -> Self {
        let mut made = Self::default();
        made.extend(nets);
        made
    }
}

impl Extend<IpNet> for Nets {
    fn extend<T: IntoIterator<Item = IpNet>>(&mut self, nets: T) {
        let mut ranges = Ranges::default();
        for net in nets {
            match canonical(net) {
                IpNet::V4(net) => ranges.v4.push((net.network().into(), net.broadcast().into())),
                IpNet::V6(net) => ranges.v6.push((net.network().into(), net.broadcast().into())),
            }
        }
        joined(&mut ranges.v4);
        joined(&mut ranges.v6);
        if ranges != Ranges::default() {
            self.0.push(Arc::new(ranges));
        }
    }
}

/// Sorts, and puts together what overlaps.
fn joined<A: Ord + Copy>(ranges: &mut Vec<(A, A)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlaps = next.0 <= kept.1;
        if overlaps {
            kept.1 = kept.1.max(next.1);
        }
        overlaps
    });
}

fn meets<A: Ord + Copy>(ranges: &[(A, A)], first: A, last: A) -> bool {
    let behind = ranges.partition_point(|range| range.0 <= last);
    behind.checked_sub(1).is_some_and(|at| ranges[at].1 >= first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Networks that often overlap: few high bits vary.
    fn net() -> impl Strategy<Value = IpNet> {
        let v4 = (0_u32..1 << 12, 20_u8..=32).prop_map(|(bits, prefix)| {
            let address = std::net::Ipv4Addr::from(0x2d00_0000 + bits);
            IpNet::new(address.into(), prefix).expect("a prefix")
        });
        let v6 = (0_u128..1 << 12, 116_u8..=128).prop_map(|(bits, prefix)| {
            let address = std::net::Ipv6Addr::from((0x2a00 << 112) + bits);
            IpNet::new(address.into(), prefix).expect("a prefix")
        });
        let mapped = (0_u128..1 << 12, 116_u8..=128).prop_map(|(bits, prefix)| {
            let address = std::net::Ipv6Addr::from(0xffff_2d00_0000 + bits);
            IpNet::new(address.into(), prefix).expect("a prefix")
        });
        prop_oneof![v4, v6, mapped]
    }

    proptest! {
        #[test]
        fn the_answer_is_that_of_looking_at_each_network(
            first in proptest::collection::vec(net(), 0..40),
            second in proptest::collection::vec(net(), 0..5),
            asked in proptest::collection::vec(net(), 1..40),
        ) {
            let mut nets: Nets = first.iter().copied().collect();
            nets.extend(second.iter().copied());
            for asked in asked {
                let asked = canonical(asked);
                let expected = first.iter().chain(&second).any(|net| {
                    let net = canonical(*net);
                    net.contains(&asked) || asked.contains(&net)
                });
                prop_assert_eq!(nets.overlap(asked), expected, "{}", asked);
            }
        }
    }
}
