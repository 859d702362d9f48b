//! The table: what an `ecs` document of a GuardDuty finding may carry.

use crate::schema::{
    Field,
    Type::{Boolean, Date, FlatObject, Float, GeoPoint, Ip, Keyword, Long, Text},
    field,
};

/// A member of the remote side, of whichever action the finding has.
macro_rules! remote {
    ($leaf:literal) => {
        concat!(
            "service.action.{networkConnectionAction,awsApiCallAction,kubernetesApiCallAction,rdsLoginAttemptAction,",
            "portProbeAction.portProbeDetails[]}.remoteIpDetails.",
            $leaf
        )
    };
}

/// A member of the own side's address or port.
macro_rules! local {
    ($leaf:literal) => {
        concat!(
            "service.action.{networkConnectionAction,portProbeAction.portProbeDetails[]}.",
            $leaf
        )
    };
}

/// A member of the instance's network interfaces.
macro_rules! interface {
    ($leaf:literal) => {
        concat!("resource.instanceDetails.networkInterfaces[].", $leaf)
    };
}

/// The rows of GuardDuty findings.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "updatedAt | createdAt | service.eventLastSeen", "when the finding was last updated"),
    field("message", Text, "description", "GuardDuty's description"),
    field("event.action", Keyword, "service.action.actionType", "kind of activity in lower case, such as network_connection"),
    field("event.severity", Float, "severity", "severity, 1.0 to 10.0"),
    field("event.created", Date, "createdAt", "when the finding was first made"),
    field("event.start", Date, "service.eventFirstSeen", "first activity"),
    field("event.end", Date, "service.eventLastSeen", "last activity"),
    field("cloud.account.id", Keyword, "accountId", "AWS account"),
    field("cloud.region", Keyword, "region", "AWS Region"),
    field("cloud.availability_zone", Keyword, "resource.instanceDetails.availabilityZone", "Availability Zone of the instance"),
    field("cloud.instance.id", Keyword, "resource.instanceDetails.instanceId", "EC2 instance"),
    field("rule.id", Keyword, "type", "finding type"),
    field("rule.name", Keyword, "title", "title of the finding"),
    field("rule.category", Keyword, "", "threat purpose"),
    field("source.address", Keyword, remote!("{ipAddressV4,ipAddressV6}"), "remote side, when it is no address"),
    field("source.ip", Ip, remote!("{ipAddressV4,ipAddressV6}"), "remote addresses; own ones when OUTBOUND"),
    field("source.port", Long, "service.action.networkConnectionAction.remotePortDetails.port", "remote port"),
    field("source.geo.country_iso_code", Keyword, remote!("country.countryCode"), "country code of the remote side"),
    field("source.geo.country_name", Keyword, remote!("country.countryName"), "country of the remote side"),
    field("source.geo.city_name", Keyword, remote!("city.cityName"), "city of the remote side"),
    field("source.geo.location", GeoPoint, remote!("geoLocation"), "place of the remote side"),
    field("source.as.number", Long, remote!("organization.asn"), "autonomous system of the remote side"),
    field("source.as.organization.name", Keyword, remote!("organization.asnOrg"), "who runs the remote network"),
    field("destination.address", Keyword, local!("localIpDetails.{ipAddressV4,ipAddressV6}"), "own side, when it is no address"),
    field("destination.ip", Ip, local!("localIpDetails.{ipAddressV4,ipAddressV6}"), "own addresses; remote ones when OUTBOUND"),
    field("destination.port", Long, local!("localPortDetails.port"), "own port"),
    field("destination.geo.country_iso_code", Keyword, "", "country code of the remote side when OUTBOUND"),
    field("destination.geo.country_name", Keyword, "", "country of the remote side when OUTBOUND"),
    field("destination.geo.city_name", Keyword, "", "city of the remote side when OUTBOUND"),
    field("destination.geo.location", GeoPoint, "", "place of the remote side when OUTBOUND"),
    field("destination.as.number", Long, "", "autonomous system of the remote side when OUTBOUND"),
    field("destination.as.organization.name", Keyword, "", "who runs the remote network when OUTBOUND"),
    field("network.direction", Keyword, "", "inbound, outbound or unknown"),
    field("network.transport", Keyword, "service.action.{networkConnectionAction,dnsRequestAction}.protocol", "tcp, udp or icmp"),
    field("dns.question.name", Keyword, "service.action.dnsRequestAction.domain", "name that was asked for"),
    field("user.name", Keyword, "resource.{accessKeyDetails.userName,kubernetesDetails.kubernetesUserDetails.username,rdsDbUserDetails.user}", "who acted"),
    field("user.id", Keyword, "resource.{accessKeyDetails.principalId,kubernetesDetails.kubernetesUserDetails.uid}", "id of who acted"),
    field("user_agent.original", Keyword, "service.action.{awsApiCallAction,kubernetesApiCallAction}.userAgent", "program that called the API"),
    field("error.code", Keyword, "service.action.awsApiCallAction.errorCode", "error that the API answered"),
    field("related.ip", Ip, "{resource.instanceDetails.networkInterfaces[].privateIpAddress,resource.instanceDetails.networkInterfaces[].privateIpAddresses[].privateIpAddress,resource.instanceDetails.networkInterfaces[].publicIp,resource.instanceDetails.networkInterfaces[].ipv6Addresses[],service.action.kubernetesApiCallAction.sourceIPs[],service.action.kubernetesApiCallAction.sourceIps[],service.detection.sequence.endpoints[].ip}", "every address in the finding"),
    field("related.user", Keyword, "{resource.accessKeyDetails.userName,resource.kubernetesDetails.kubernetesUserDetails.username,resource.rdsDbUserDetails.user,service.detection.sequence.actors[].user.name}", "every user in the finding"),
    field("related.hosts", Keyword, "{resource.instanceDetails.networkInterfaces[].privateDnsName,resource.instanceDetails.networkInterfaces[].publicDnsName,service.action.dnsRequestAction.domain,service.action.awsApiCallAction.domainDetails.domain,service.detection.sequence.endpoints[].domain}", "every host in the finding"),
    field("aws.guardduty.finding_id", Keyword, "id", "id of the finding, the same in all its versions"),
    field("aws.guardduty.arn", Keyword, "arn", "ARN of the finding"),
    field("aws.guardduty.detector_id", Keyword, "service.detectorId", "detector"),
    field("aws.guardduty.schema_version", Keyword, "schemaVersion", "version of the finding format"),
    field("aws.guardduty.partition", Keyword, "partition", "AWS partition"),
    field("aws.guardduty.type", Keyword, "type", "finding type"),
    field("aws.guardduty.threat_purpose", Keyword, "", "part of the type before the colon"),
    field("aws.guardduty.resource_affected", Keyword, "", "part of the type between colon and slash"),
    field("aws.guardduty.family", Keyword, "", "threat family, after the slash"),
    field("aws.guardduty.mechanism", Keyword, "", "detection mechanism, after the dot"),
    field("aws.guardduty.artifact", Keyword, "", "artifact, after the exclamation mark"),
    field("aws.guardduty.severity_label", Keyword, "", "Low, Medium, High or Critical"),
    field("aws.guardduty.confidence", Float, "confidence", "confidence of the finding"),
    field("aws.guardduty.action_type", Keyword, "service.action.actionType", "kind of activity"),
    field("aws.guardduty.direction", Keyword, "service.action.networkConnectionAction.connectionDirection", "INBOUND, OUTBOUND or UNKNOWN"),
    field("aws.guardduty.port_name", Keyword, local!("localPortDetails.portName"), "name of the own port"),
    field("aws.guardduty.remote_port_name", Keyword, "service.action.networkConnectionAction.remotePortDetails.portName", "name of the remote port"),
    field("aws.guardduty.remote_ip", Ip, remote!("{ipAddressV4,ipAddressV6}"), "remote addresses, whichever the direction"),
    field("aws.guardduty.remote_country", Keyword, remote!("country.countryName"), "country of the remote side, whichever the direction"),
    field("aws.guardduty.isp", Keyword, remote!("organization.isp"), "internet provider of the remote side"),
    field("aws.guardduty.org", Keyword, remote!("organization.org"), "organisation of the remote side"),
    field("aws.guardduty.resource_type", Keyword, "resource.resourceType", "kind of affected resource"),
    field("aws.guardduty.resource_role", Keyword, "service.resourceRole", "TARGET or ACTOR"),
    field("aws.guardduty.service_name", Keyword, "service.action.awsApiCallAction.serviceName | service.serviceName", "AWS service that was called, else guardduty"),
    field("aws.guardduty.feature", Keyword, "service.featureName", "GuardDuty feature that found it"),
    field("aws.guardduty.count", Long, "service.count", "how often it was seen"),
    field("aws.guardduty.archived", Boolean, "service.archived", "whether it was archived"),
    field("aws.guardduty.sample", Boolean, "service.additionalInfo.sample", "whether it is one of the generated sample findings"),
    field("aws.guardduty.blocked", Boolean, "service.action.{networkConnectionAction,dnsRequestAction,portProbeAction}.blocked", "whether the traffic was blocked already"),
    field("aws.guardduty.first_seen", Date, "service.eventFirstSeen", "first activity"),
    field("aws.guardduty.last_seen", Date, "service.eventLastSeen", "last activity"),
    field("aws.guardduty.access_key_id", Keyword, "resource.accessKeyDetails.accessKeyId", "access key"),
    field("aws.guardduty.user_type", Keyword, "resource.accessKeyDetails.userType", "kind of user, such as IAMUser or AssumedRole"),
    field("aws.guardduty.api", Keyword, "service.action.awsApiCallAction.api", "API operation"),
    field("aws.guardduty.caller_type", Keyword, "service.action.awsApiCallAction.callerType", "what kind of caller"),
    field("aws.guardduty.kubernetes_verb", Keyword, "service.action.kubernetesApiCallAction.verb", "verb of the Kubernetes API call"),
    field("aws.guardduty.kubernetes_uri", Keyword, "service.action.kubernetesApiCallAction.requestUri", "path of the Kubernetes API call"),
    field("aws.guardduty.additional_info", Keyword, "service.additionalInfo.value", "details of the detection, often JSON"),
    field("aws.guardduty.threat_list", Keyword, "{service.additionalInfo.threatListName,service.evidence.threatIntelligenceDetails[].threatListName}", "threat lists that name the remote side"),
    field("aws.guardduty.threat_name", Keyword, "service.evidence.threatIntelligenceDetails[].threatNames[]", "threats by the lists' names"),
    field("aws.guardduty.bucket", Keyword, "resource.s3BucketDetails[].name", "S3 bucket"),
    field("aws.guardduty.eks_cluster", Keyword, "resource.eksClusterDetails.name", "EKS cluster"),
    field("aws.guardduty.rds_instance", Keyword, "resource.rdsDbInstanceDetails.dbInstanceIdentifier", "RDS instance"),
    field("aws.guardduty.lambda_function", Keyword, "resource.lambdaDetails.functionName", "Lambda function"),
    field("aws.guardduty.ecs_cluster", Keyword, "resource.ecsClusterDetails.name", "ECS cluster"),
    field("aws.guardduty.container_image", Keyword, "{resource.containerDetails.image,resource.ecsClusterDetails.taskDetails.containers[].image,resource.kubernetesDetails.kubernetesWorkloadDetails.containers[].image}", "container image"),
    field("aws.guardduty.process_name", Keyword, "service.runtimeDetails.process.name", "process that acted"),
    field("aws.guardduty.process_path", Keyword, "service.runtimeDetails.process.executablePath", "its file"),
    field("aws.guardduty.malware", Keyword, "service.{ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[],malwareScanDetails.threats[]}.name", "malware that a scan found"),
    field("aws.guardduty.signal", Keyword, "service.detection.sequence.signals[].name", "signals of an attack sequence"),
    field("aws.guardduty.instance_type", Keyword, "resource.instanceDetails.instanceType", "size of the instance"),
    field("aws.guardduty.image_id", Keyword, "resource.instanceDetails.imageId", "machine image"),
    field("aws.guardduty.interface_id", Keyword, interface!("networkInterfaceId"), "network interfaces"),
    field("aws.guardduty.vpc_id", Keyword, interface!("vpcId"), "VPC"),
    field("aws.guardduty.subnet_id", Keyword, interface!("subnetId"), "subnets"),
    field("aws.guardduty.security_group", Keyword, interface!("securityGroups[].groupId"), "security groups"),
    field("aws.guardduty.rest", FlatObject, "", "what no field took"),
];
