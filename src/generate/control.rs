//! Tables of what Security Hub's checks and Inspector's scans find: control ids, CVE ids and severities as published.

/// One security control.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
    /// Label and normalised severity.
    pub(crate) severity: (&'static str, i64),
    /// Type of the resource that is checked.
    pub(crate) resource: &'static str,
    /// The AWS Config rule behind it.
    pub(crate) rule: &'static str,
    pub(crate) requirements: &'static [&'static str],
}

const CRITICAL: (&str, i64) = ("CRITICAL", 90);
const HIGH: (&str, i64) = ("HIGH", 70);
const MEDIUM: (&str, i64) = ("MEDIUM", 40);
const LOW: (&str, i64) = ("LOW", 1);

/// Rows: id, title, severity, resource, rule, requirements; then the description.
macro_rules! controls {
    ($($id:literal $title:literal $severity:ident $resource:literal $rule:literal [$($requirement:literal),*] $description:literal;)+) => {
        &[$(Control {
            id: $id,
            title: $title,
            description: $description,
            severity: $severity,
            resource: $resource,
            rule: $rule,
            requirements: &[$($requirement),*],
        }),+]
    };
}

pub(crate) const CONTROLS: &[Control] = controls! {
    "EC2.2" "Default security groups should let no traffic in or out" HIGH "AwsEc2SecurityGroup" "vpc-default-security-group-closed" ["CIS AWS Foundations Benchmark v3.0.0/5.4"]
        "Checks that the security group a VPC is created with has no rules.";
    "EC2.6" "VPCs should have flow logging enabled" MEDIUM "AwsEc2Vpc" "vpc-flow-logs-enabled" ["CIS AWS Foundations Benchmark v3.0.0/3.7"]
        "Checks that flow logs are published for rejected packets at least.";
    "EC2.8" "Instances should use version 2 of the metadata service" HIGH "AwsEc2Instance" "ec2-imdsv2-check" ["CIS AWS Foundations Benchmark v3.0.0/5.6"]
        "Checks that an instance answers no metadata request without a session token.";
    "EC2.13" "Security groups should not let the whole internet in on port 22" HIGH "AwsEc2SecurityGroup" "restricted-ssh" []
        "Checks that no rule allows 0.0.0.0/0 or ::/0 on the SSH port.";
    "EC2.19" "Security groups should not open high-risk ports to everybody" CRITICAL "AwsEc2SecurityGroup" "vpc-sg-restricted-common-ports" []
        "Checks ports that attackers look for first, such as those of databases and remote desktops.";
    "S3.5" "Buckets should require TLS" MEDIUM "AwsS3Bucket" "s3-bucket-ssl-requests-only" ["CIS AWS Foundations Benchmark v3.0.0/2.1.1"]
        "Checks that the bucket policy refuses requests that are not encrypted on their way.";
    "S3.8" "Buckets should block public access" HIGH "AwsS3Bucket" "s3-bucket-level-public-access-prohibited" ["CIS AWS Foundations Benchmark v3.0.0/2.1.4"]
        "Checks that the settings of the bucket itself block public access.";
    "IAM.3" "Access keys should be rotated within 90 days" MEDIUM "AwsIamUser" "access-keys-rotated" ["CIS AWS Foundations Benchmark v3.0.0/1.14"]
        "Checks the age of the access keys of users.";
    "IAM.6" "The root user should have a hardware second factor" CRITICAL "AwsAccount" "root-account-hardware-mfa-enabled" ["CIS AWS Foundations Benchmark v3.0.0/1.6"]
        "Checks that signing in as root takes a hardware device.";
    "RDS.3" "Databases should be encrypted at rest" MEDIUM "AwsRdsDbInstance" "rds-storage-encrypted" ["CIS AWS Foundations Benchmark v3.0.0/2.3.1"]
        "Checks that the storage of a database is encrypted.";
    "RDS.13" "Databases should take minor upgrades by themselves" HIGH "AwsRdsDbInstance" "rds-automatic-minor-version-upgrade-enabled" ["CIS AWS Foundations Benchmark v3.0.0/2.3.2"]
        "Checks that minor versions are installed in the maintenance window.";
    "CloudTrail.5" "Trails should be delivered to CloudWatch Logs" LOW "AwsAccount" "cloud-trail-cloud-watch-logs-enabled" []
        "Checks that somebody can be woken by what a trail records.";
};

/// One vulnerability of one package.
#[derive(Debug)]
pub(crate) struct Vulnerability {
    pub(crate) cve: &'static str,
    pub(crate) package: &'static str,
    pub(crate) installed: &'static str,
    pub(crate) fixed_in: &'static str,
    /// CVSS 3.1 base score, as it is written.
    pub(crate) score: &'static str,
    pub(crate) vector: &'static str,
    /// Label and normalised severity.
    pub(crate) severity: (&'static str, i64),
    /// Whether it is known to be used by attackers.
    pub(crate) exploited: bool,
    pub(crate) description: &'static str,
}

/// Rows: CVE, package, installed, fixed in, score, severity, exploited, vector; then the description.
macro_rules! vulnerabilities {
    ($($cve:literal $package:literal $installed:literal $fixed_in:literal $score:literal $severity:ident $exploited:literal $vector:literal $description:literal;)+) => {
        &[$(Vulnerability {
            cve: $cve,
            package: $package,
            installed: $installed,
            fixed_in: $fixed_in,
            score: $score,
            vector: $vector,
            severity: $severity,
            exploited: $exploited,
            description: $description,
        }),+]
    };
}

pub(crate) const VULNERABILITIES: &[Vulnerability] = vulnerabilities! {
    "CVE-2024-6387" "openssh-server" "8.7p1-8" "8.7p1-8.amzn2023.0.11" "8.1" HIGH true "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
        "A race in the signal handler of the SSH server lets an unauthenticated client run code.";
    "CVE-2021-44228" "log4j-core" "2.14.1" "2.17.1" "10.0" CRITICAL true "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"
        "Text that is logged can make the library load and run code from a directory server.";
    "CVE-2023-44487" "nginx" "1.24.0-1" "1.24.0-1.amzn2023.0.2" "7.5" HIGH true "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
        "Streams that are reset at once exhaust an HTTP/2 server.";
    "CVE-2023-38545" "curl" "8.2.1" "8.4.0" "9.8" CRITICAL false "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
        "A long host name overflows a buffer during the SOCKS5 handshake.";
    "CVE-2022-0778" "openssl-libs" "3.0.1" "3.0.2" "7.5" HIGH false "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
        "A certificate with invalid curve parameters makes the parser loop forever.";
    "CVE-2023-0286" "openssl-libs" "3.0.1" "3.0.8" "7.4" HIGH false "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:H"
        "A type confusion in the handling of X.400 addresses lets an attacker read memory.";
    "CVE-2022-40674" "expat" "2.4.7" "2.4.9" "8.1" HIGH false "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"
        "The XML parser uses memory after it was freed.";
    "CVE-2022-3602" "openssl-libs" "3.0.5" "3.0.7" "7.5" HIGH false "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
        "A certificate with a crafted e-mail address overflows a buffer.";
    "CVE-2020-11022" "jquery" "3.4.1" "3.5.0" "6.1" MEDIUM false "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"
        "Markup from untrusted sources can run scripts even after it was sanitised.";
    "CVE-2018-20225" "python3-pip" "21.3.1" "0" "7.8" LOW false "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"
        "An extra index can supply a package that was meant to come from a private one.";
};
