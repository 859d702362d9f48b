//! Who an address belongs to: country, city, autonomous system and organisation that go together.
//!
//! The ranges are ones that these networks announce; which addresses of them misbehave is made up. None is set aside for
//! documentation, private use or the like, because a responder rightly refuses to block those, and none is AWS's.

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
    "US" "United States", "Clifton" "40.8326" "-74.1307", 14061 "DIGITALOCEAN-ASN" "DigitalOcean, LLC", [159, 65, 0, 0] / 16;
    "US" "United States", "Atlanta" "33.7485" "-84.3871", 63949 "AKAMAI-LINODE-AP" "Linode", [45, 33, 0, 0] / 17;
    "US" "United States", "Dallas" "32.7767" "-96.7970", 36352 "AS-COLOCROSSING" "ColoCrossing", [192, 3, 0, 0] / 16;
    "DE" "Germany", "Falkenstein" "50.4777" "12.3649", 24940 "HETZNER-AS" "Hetzner Online GmbH", [88, 198, 0, 0] / 16;
    "FR" "France", "Roubaix" "50.6924" "3.2011", 16276 "OVH" "OVH SAS", [51, 68, 0, 0] / 16;
    "NL" "Netherlands", "Amsterdam" "52.3740" "4.8897", 60781 "LEASEWEB-NL-AMS-01" "LeaseWeb Netherlands B.V.", [85, 17, 0, 0] / 16;
    "RU" "Russia", "Saint Petersburg" "59.8983" "30.2618", 49505 "SELECTEL" "OOO Network of data-centers Selectel", [95, 213, 128, 0] / 17;
    "CN" "China", "Nanjing" "32.0617" "118.7778", 4134 "CHINANET-BACKBONE" "China Telecom Jiangsu", [61, 177, 0, 0] / 16;
    "CN" "China", "Beijing" "39.9110" "116.3950", 45090 "TENCENT-NET-AP" "Tencent Cloud Computing (Beijing) Co., Ltd", [49, 232, 0, 0] / 14;
    "CN" "China", "Hangzhou" "30.2994" "120.1612", 37963 "ALIBABA-CN-NET" "Hangzhou Alibaba Advertising Co., Ltd.", [47, 92, 0, 0] / 14;
    "VN" "Vietnam", "Hanoi" "21.0184" "105.8461", 45899 "VNPT-AS-VN" "VNPT Corp", [14, 160, 0, 0] / 11;
    "KR" "South Korea", "Seoul" "37.5111" "126.9743", 4766 "KIXS-AS-KR" "Korea Telecom", [121, 128, 0, 0] / 11;
    "IN" "India", "Mumbai" "19.0748" "72.8856", 9829 "BSNL-NIB" "National Internet Backbone", [117, 192, 0, 0] / 11;
    "ID" "Indonesia", "Jakarta" "-6.2114" "106.8446", 7713 "TELKOMNET-AS-AP" "PT Telekomunikasi Indonesia", [36, 64, 0, 0] / 11;
    "BR" "Brazil", "São Paulo" "-23.5475" "-46.6361", 28573 "CLARO S.A." "Claro NXT Telecomunicacoes Ltda", [177, 32, 0, 0] / 14;
    "TR" "Turkey", "Istanbul" "41.0214" "28.9948", 47331 "TTNET" "TTNet A.S.", [78, 160, 0, 0] / 11;
    "RO" "Romania", "Bucharest" "44.4268" "26.1025", 9009 "M247" "M247 Europe SRL", [89, 38, 96, 0] / 20;
    "SG" "Singapore", "Singapore" "1.2897" "103.8501", 14061 "DIGITALOCEAN-ASN" "DigitalOcean, LLC", [128, 199, 64, 0] / 18;
    "UA" "Ukraine", "Kyiv" "50.4501" "30.5234", 15895 "KSNET-AS" "Kyivstar PJSC", [46, 211, 0, 0] / 16;
};

/// Relays of the Tor network.
pub(crate) const TOR: &[Provider] = providers! {
    "DE" "Germany", "Brandenburg" "52.6171" "13.1207", 60729 "TORSERVERS-NET" "Stiftung Erneuerbare Freiheit", [185, 220, 101, 0] / 24;
    "SE" "Sweden", "Stockholm" "59.3293" "18.0686", 198093 "DFRI-AS" "Foreningen for digitala fri- och rattigheter", [171, 25, 193, 0] / 24;
    "NL" "Netherlands", "Amsterdam" "52.3740" "4.8897", 43350 "NFORCE" "NForce Entertainment B.V.", [109, 201, 128, 0] / 19;
};

/// Where customers sit.
pub(crate) const ACCESS: &[Provider] = providers! {
    "GB" "United Kingdom", "London" "51.5085" "-0.1257", 2856 "BT-UK-AS" "British Telecommunications PLC", [86, 128, 0, 0] / 11;
    "DE" "Germany", "Berlin" "52.5244" "13.4105", 3320 "DTAG" "Deutsche Telekom AG", [79, 192, 0, 0] / 11;
    "FR" "France", "Lyon" "45.7485" "4.8467", 3215 "Orange" "Orange S.A.", [90, 0, 0, 0] / 11;
    "IE" "Ireland", "Dublin" "53.3331" "-6.2489", 5466 "EIRCOM" "Eircom Limited", [86, 40, 0, 0] / 13;
    "NL" "Netherlands", "Utrecht" "52.0908" "5.1222", 1136 "KPN" "KPN B.V.", [77, 160, 0, 0] / 13;
    "ES" "Spain", "Madrid" "40.4165" "-3.7026", 3352 "TELEFONICA_DE_ESPANA" "Telefonica de Espana SAU", [80, 24, 0, 0] / 13;
    "IT" "Italy", "Milan" "45.4643" "9.1895", 3269 "ASN-IBSNAZ" "Telecom Italia S.p.A.", [79, 16, 0, 0] / 12;
    "SE" "Sweden", "Gothenburg" "57.7072" "11.9668", 3301 "TELIANET-SWEDEN" "Telia Company AB", [78, 64, 0, 0] / 12;
    "PL" "Poland", "Warsaw" "52.2298" "21.0118", 5617 "TPNET" "Orange Polska S.A.", [83, 0, 0, 0] / 11;
    "US" "United States", "Philadelphia" "39.9523" "-75.1638", 7922 "COMCAST-7922" "Comcast Cable Communications, LLC", [73, 32, 0, 0] / 11;
    "US" "United States", "New York" "40.7143" "-74.0060", 701 "UUNET" "Verizon Business", [108, 0, 0, 0] / 11;
    "CA" "Canada", "Toronto" "43.7001" "-79.4163", 812 "ROGERS-COMMUNICATIONS" "Rogers Communications Canada Inc.", [99, 224, 0, 0] / 11;
    "JP" "Japan", "Tokyo" "35.6895" "139.6917", 4713 "OCN" "NTT Communications Corporation", [153, 128, 0, 0] / 11;
    "AU" "Australia", "Sydney" "-33.8679" "151.2073", 1221 "ASN-TELSTRA" "Telstra Corporation Ltd", [101, 160, 0, 0] / 11;
    "BR" "Brazil", "Rio de Janeiro" "-22.9028" "-43.2075", 27699 "TELEFONICA BRASIL" "Telefonica Brasil S.A", [179, 96, 0, 0] / 12;
};

/// Where search engines come from.
pub(crate) const CRAWLER: &Provider = &providers! {
    "US" "United States", "Mountain View" "37.3861" "-122.0839", 15169 "GOOGLE" "Google LLC", [66, 249, 64, 0] / 19;
}[0];

/// Where the partner that is paid to scan has its machines.
pub(crate) const PARTNERS: &Provider = &providers! {
    "DE" "Germany", "Nuremberg" "49.4478" "11.0683", 24940 "HETZNER-AS" "Hetzner Online GmbH", [167, 235, 0, 0] / 16;
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
