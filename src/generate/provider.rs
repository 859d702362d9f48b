//! Who an address belongs to: country, city, autonomous system and organisation that go together.
//!
//! The ranges are in use in these countries, because a responder rightly refuses to block what is set aside for
//! documentation; none of the attackers' is AWS's. Which addresses misbehave is made up, and so are the attackers' and
//! customers' networks, whose numbers are from the private range (RFC 6996): nobody is accused.

use std::net::Ipv4Addr;

use super::random::Random;

/// One network that addresses are drawn from.
#[derive(Debug)]
pub(crate) struct Provider {
    /// ISO 3166 code.
    pub(crate) code: &'static str,
    pub(crate) country: &'static str,
    pub(crate) city: &'static str,
    pub(crate) latitude: &'static str,
    pub(crate) longitude: &'static str,
    pub(crate) asn: u32,
    /// Name of the autonomous system.
    pub(crate) system: &'static str,
    /// Name of the organisation.
    pub(crate) organisation: &'static str,
    base: Ipv4Addr,
    length: u8,
}

impl Provider {
    pub(crate) fn address(&self, random: &mut Random) -> Ipv4Addr {
        random.address(self.base, self.length)
    }
}

/// Rows: country, city and where it is; autonomous system and organisation; range.
macro_rules! providers {
    ($($code:literal $country:literal, $city:literal $latitude:literal $longitude:literal,
       $asn:literal $system:literal $organisation:literal, [$($octet:literal),+] / $length:literal;)+) => {
        &[$(Provider {
            code: $code,
            country: $country,
            city: $city,
            latitude: $latitude,
            longitude: $longitude,
            asn: $asn,
            system: $system,
            organisation: $organisation,
            base: { let [a, b, c, d] = [$($octet),+]; Ipv4Addr::new(a, b, c, d) },
            length: $length,
        }),+]
    };
}

/// Where machines can be rented and taken over: most attackers come from such networks.
pub(crate) const ATTACKERS: &[Provider] = providers! {
    "US" "United States", "Clifton" "40.8326" "-74.1307", 64513 "NORTHLIGHT-VPS" "Northlight Virtual Servers", [159, 65, 0, 0] / 16;
    "US" "United States", "Atlanta" "33.7485" "-84.3871", 64514 "CEDAR-COMPUTE" "Cedar Compute", [45, 33, 0, 0] / 17;
    "US" "United States", "Dallas" "32.7767" "-96.7970", 64515 "RACKFIELD" "Rackfield Colocation", [192, 3, 0, 0] / 16;
    "DE" "Germany", "Falkenstein" "50.4777" "12.3649", 64516 "FALKENNETZ" "Falkennetz Hosting", [88, 198, 0, 0] / 16;
    "FR" "France", "Roubaix" "50.6924" "3.2011", 64517 "ROUBAIX-SERVEURS" "Serveurs de Roubaix", [51, 68, 0, 0] / 16;
    "NL" "Netherlands", "Amsterdam" "52.3740" "4.8897", 64518 "POLDER-HOSTING" "Polder Hosting", [85, 17, 0, 0] / 16;
    "RU" "Russia", "Saint Petersburg" "59.8983" "30.2618", 64519 "NEVA-DATACENTRE" "Neva Datacentre", [95, 213, 128, 0] / 17;
    "CN" "China", "Nanjing" "32.0617" "118.7778", 64520 "JIANGNAN-BACKBONE" "Jiangnan Backbone", [61, 177, 0, 0] / 16;
    "CN" "China", "Beijing" "39.9110" "116.3950", 64521 "BEIHAI-CLOUD" "Beihai Cloud", [49, 232, 0, 0] / 14;
    "CN" "China", "Hangzhou" "30.2994" "120.1612", 64522 "WESTLAKE-CLOUD" "Westlake Cloud", [47, 92, 0, 0] / 14;
    "VN" "Vietnam", "Hanoi" "21.0184" "105.8461", 64523 "HANOI-BROADBAND" "Hanoi Broadband", [14, 160, 0, 0] / 11;
    "KR" "South Korea", "Seoul" "37.5111" "126.9743", 64524 "HANGANG-TELECOM" "Hangang Telecom", [121, 128, 0, 0] / 11;
    "IN" "India", "Mumbai" "19.0748" "72.8856", 64525 "GATEWAY-INTERNET-IN" "Gateway Internet", [117, 192, 0, 0] / 11;
    "ID" "Indonesia", "Jakarta" "-6.2114" "106.8446", 64526 "NUSANTARA-NET" "Nusantara Net", [36, 64, 0, 0] / 11;
    "BR" "Brazil", "São Paulo" "-23.5475" "-46.6361", 64527 "PAULISTA-CABO" "Paulista Cabo", [177, 32, 0, 0] / 14;
    "TR" "Turkey", "Istanbul" "41.0214" "28.9948", 64528 "BOSPHORUS-NET" "Bosphorus Net", [78, 160, 0, 0] / 11;
    "RO" "Romania", "Bucharest" "44.4268" "26.1025", 64529 "DAMBOVITA-HOSTING" "Dambovita Hosting", [89, 38, 96, 0] / 20;
    "SG" "Singapore", "Singapore" "1.2897" "103.8501", 64530 "STRAITS-CLOUD" "Straits Cloud", [128, 199, 64, 0] / 18;
    "UA" "Ukraine", "Kyiv" "50.4501" "30.5234", 64531 "DNIPRO-MOBILE" "Dnipro Mobile", [46, 211, 0, 0] / 16;
};

/// Relays of the Tor network.
pub(crate) const TOR: &[Provider] = providers! {
    "DE" "Germany", "Brandenburg" "52.6171" "13.1207", 64532 "ONION-RELAYS-DE" "Onion Relays", [185, 220, 101, 0] / 24;
    "SE" "Sweden", "Stockholm" "59.3293" "18.0686", 64533 "ONION-RELAYS-SE" "Relay Foundation", [171, 25, 193, 0] / 24;
    "NL" "Netherlands", "Amsterdam" "52.3740" "4.8897", 64534 "ONION-RELAYS-NL" "Relays by the Amstel", [109, 201, 128, 0] / 19;
};

/// Where customers sit.
pub(crate) const ACCESS: &[Provider] = providers! {
    "GB" "United Kingdom", "London" "51.5085" "-0.1257", 64535 "THAMES-BROADBAND" "Thames Broadband", [86, 128, 0, 0] / 11;
    "DE" "Germany", "Berlin" "52.5244" "13.4105", 64536 "SPREE-TELEKOM" "Spree Telekom", [79, 192, 0, 0] / 11;
    "FR" "France", "Lyon" "45.7485" "4.8467", 64537 "RHONE-FIBRE" "Rhone Fibre", [90, 0, 0, 0] / 11;
    "IE" "Ireland", "Dublin" "53.3331" "-6.2489", 64538 "LIFFEY-BROADBAND" "Liffey Broadband", [86, 40, 0, 0] / 13;
    "NL" "Netherlands", "Utrecht" "52.0908" "5.1222", 64539 "DOMSTAD-INTERNET" "Domstad Internet", [77, 160, 0, 0] / 13;
    "ES" "Spain", "Madrid" "40.4165" "-3.7026", 64540 "MESETA-TELECOM" "Meseta Telecom", [80, 24, 0, 0] / 13;
    "IT" "Italy", "Milan" "45.4643" "9.1895", 64541 "NAVIGLI-FIBRA" "Navigli Fibra", [79, 16, 0, 0] / 12;
    "SE" "Sweden", "Gothenburg" "57.7072" "11.9668", 64542 "GOTA-BREDBAND" "Gota Bredband", [78, 64, 0, 0] / 12;
    "PL" "Poland", "Warsaw" "52.2298" "21.0118", 64543 "VISTULA-NET" "Vistula Net", [83, 0, 0, 0] / 11;
    "US" "United States", "Philadelphia" "39.9523" "-75.1638", 64544 "LIBERTY-BELL-CABLE" "Liberty Bell Cable", [73, 32, 0, 0] / 11;
    "US" "United States", "New York" "40.7143" "-74.0060", 64545 "HUDSON-FIOS" "Hudson Fios", [108, 0, 0, 0] / 11;
    "CA" "Canada", "Toronto" "43.7001" "-79.4163", 64546 "LAKESHORE-CABLE" "Lakeshore Cable", [99, 224, 0, 0] / 11;
    "JP" "Japan", "Tokyo" "35.6895" "139.6917", 64547 "SUMIDA-COMMUNICATIONS" "Sumida Communications", [153, 128, 0, 0] / 11;
    "AU" "Australia", "Sydney" "-33.8679" "151.2073", 64548 "HARBOUR-TELECOM" "Harbour Telecom", [101, 160, 0, 0] / 11;
    "BR" "Brazil", "Rio de Janeiro" "-22.9028" "-43.2075", 64549 "CARIOCA-BANDA-LARGA" "Carioca Banda Larga", [179, 96, 0, 0] / 12;
};

/// Where search engines come from.
pub(crate) const CRAWLER: &Provider = &providers! {
    "US" "United States", "Mountain View" "37.3861" "-122.0839", 15169 "GOOGLE" "Google LLC", [66, 249, 64, 0] / 19;
}[0];

/// Where the partner that is paid to scan has its machines.
pub(crate) const PARTNERS: &Provider = &providers! {
    "DE" "Germany", "Nuremberg" "49.4478" "11.0683", 64550 "SCAN-PARTNER" "Contracted Scanning Services", [167, 235, 0, 0] / 16;
}[0];

/// What findings say of AWS's own addresses.
pub(crate) const AMAZON: &Provider = &providers! {
    "US" "United States", "Ashburn" "39.0437" "-77.4875", 16509 "AMAZON-02" "Amazon.com, Inc.", [52, 94, 0, 0] / 16;
}[0];

#[cfg(test)]
mod tests {
    use super::*;

    /// First octets and ranges that are nobody's on the internet.
    fn is_special(address: Ipv4Addr) -> bool {
        let [a, b, c, _] = address.octets();
        address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_documentation()
            || address.is_multicast()
            || a == 0
            || a >= 240
            || (a == 100 && (64..128).contains(&b))
            || (a, b, c) == (192, 0, 0)
            || (a == 198 && (b == 18 || b == 19))
    }

    #[test]
    fn attackers_come_from_addresses_that_can_be_blocked() {
        let mut random = Random::new(5, 0);
        for provider in ATTACKERS.iter().chain(TOR).chain(ACCESS) {
            for _ in 0..500 {
                let address = provider.address(&mut random);
                assert!(!is_special(address), "{address} of {provider:?}");
                assert!((1..255).contains(&address.octets()[3]), "{address}");
                let mask = u32::MAX << (32 - u32::from(provider.length));
                assert_eq!(u32::from(address) & mask, u32::from(provider.base), "{provider:?}");
            }
        }
    }
}
