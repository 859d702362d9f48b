//! The table: what an `ecs` document of a GuardDuty finding may carry.
//!
//! Every member that <https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html> documents and that
//! people search or chart by has a row; the others go to the rest.

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

/// A member of a container, wherever the finding names one.
macro_rules! container {
    ($leaf:literal) => {
        concat!(
            "resource.{containerDetails,ecsClusterDetails.taskDetails.containers[],",
            "kubernetesDetails.kubernetesWorkloadDetails.containers[]}.",
            $leaf
        )
    };
}

/// A member of the process that acted.
macro_rules! process {
    ($leaf:literal) => {
        concat!("service.runtimeDetails.process.", $leaf)
    };
}

/// A member of what a runtime finding adds about the process's doing.
macro_rules! context {
    ($leaf:literal) => {
        concat!("service.runtimeDetails.context.", $leaf)
    };
}

/// A member of an attack sequence.
macro_rules! sequence {
    ($leaf:literal) => {
        concat!("service.detection.sequence.", $leaf)
    };
}

/// A member of what a malware scan of volumes found.
macro_rules! scan {
    ($leaf:literal) => {
        concat!("service.ebsVolumeScanDetails.scanDetections.", $leaf)
    };
}

/// A member of a malware scan's threats, with the files that hold them.
macro_rules! threat {
    ($leaf:literal) => {
        concat!(
            "service.{ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[],malwareScanDetails.threats[]}.",
            $leaf
        )
    };
}

/// Tags of whichever resource is affected.
const TAGS: &str = "{resource.instanceDetails.tags[key=*].value,resource.s3BucketDetails.tags[key=*].value,\
resource.eksClusterDetails.tags[key=*].value,resource.ecsClusterDetails.tags[key=*].value,\
resource.ecsClusterDetails.taskDetails.tags[key=*].value,resource.lambdaDetails.tags[key=*].value,\
resource.rdsDbInstanceDetails.tags[key=*].value,resource.rdsLimitlessDbDetails.tags[key=*].value}";

/// The names of the same.
const TAG_NAMES: &str = "resource.{instanceDetails,s3BucketDetails,eksClusterDetails,ecsClusterDetails,\
ecsClusterDetails.taskDetails,lambdaDetails,rdsDbInstanceDetails,rdsLimitlessDbDetails}.tags[].key";

/// Addresses that stand in no row of type `ip` among those of ECS, which are written before.
const MORE_ADDRESSES: &str = "{service.detection.sequence.endpoints[].ip,\
resource.instanceDetails.networkInterfaces[].privateIpAddress,\
resource.instanceDetails.networkInterfaces[].privateIpAddresses[].privateIpAddress,\
resource.instanceDetails.networkInterfaces[].publicIp,\
resource.instanceDetails.networkInterfaces[].ipv6Addresses[],\
service.action.kubernetesApiCallAction.sourceIPs[],\
service.action.kubernetesApiCallAction.sourceIps[],\
service.detection.sequence.resources[].data.ec2NetworkInterface.publicIp,\
service.detection.sequence.resources[].data.ec2NetworkInterface.ipv6Addresses[],\
service.detection.sequence.resources[].data.ec2NetworkInterface.privateIpAddresses[].privateIpAddress,\
service.detection.sequence.sequenceIndicators[].values[],\
service.detection.sequence.signals[].signalIndicators[].values[]}";

/// Every place where the name of a user stands.
const USERS: &str = "{resource.accessKeyDetails.userName,resource.kubernetesDetails.kubernetesUserDetails.username,\
resource.kubernetesDetails.kubernetesUserDetails.impersonatedUser.username,resource.rdsDbUserDetails.user,\
service.action.rdsLoginAttemptAction.loginAttributes[].user,service.runtimeDetails.process.user,\
service.detection.sequence.actors[].user.name,service.detection.sequence.resources[].data.accessKey.userName}";

/// Every place where the name of a host stands.
const HOSTS: &str = "{resource.instanceDetails.networkInterfaces[].privateDnsName,\
resource.instanceDetails.networkInterfaces[].publicDnsName,\
resource.instanceDetails.networkInterfaces[].privateIpAddresses[].privateDnsName,\
service.action.dnsRequestAction.domain,service.action.dnsRequestAction.domainWithSuffix,\
service.action.awsApiCallAction.domainDetails.domain,service.detection.sequence.endpoints[].domain,\
service.detection.sequence.resources[].data.ec2NetworkInterface.privateIpAddresses[].privateDnsName}";

/// Every place where the hash of a file stands.
const HASHES: &str = "{service.runtimeDetails.process.executableSha256,service.runtimeDetails.context.moduleSha256,\
service.runtimeDetails.context.modifyingProcess.executableSha256,\
service.runtimeDetails.context.targetProcess.executableSha256,service.detection.sequence.actors[].process.sha256,\
service.evidence.threatIntelligenceDetails[].threatFileSha256,resource.s3BucketDetails[].s3ObjectDetails[].hash,\
service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[].hash,\
service.malwareScanDetails.threats[].hash,service.malwareScanDetails.threats[].itemPaths[].hash,\
service.malwareScanDetails.threats[].itemDetails[].hash}";

/// The rows of GuardDuty findings.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "updatedAt | createdAt | service.eventLastSeen | eventTime | ^time", "when the finding was last updated"),
    field("message", Text, "description", "GuardDuty's description"),
    field("event.kind", Keyword, "", "alert; event for the result of an object's scan"),
    field("event.action", Keyword, "service.action.actionType", "kind of activity in lower case, such as network_connection"),
    field("event.provider", Keyword, "service.serviceName", "guardduty"),
    field("event.severity", Float, "severity", "severity, 1.0 to 10.0"),
    field("event.created", Date, "createdAt", "when the finding was first made"),
    field("event.start", Date, "service.eventFirstSeen", "first activity"),
    field("event.end", Date, "service.eventLastSeen", "last activity"),
    field("cloud.account.id", Keyword, "accountId | ^account", "AWS account"),
    field("cloud.region", Keyword, "region | ^region", "AWS Region"),
    field("cloud.availability_zone", Keyword, "{resource.instanceDetails.availabilityZone,service.detection.sequence.resources[].data.ec2Instance.availabilityZone}", "Availability Zone of the instance"),
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
    field("network.iana_number", Keyword, context!("ianaProtocolNumber"), "protocol of a socket that a process opened"),
    field("dns.question.name", Keyword, "service.action.dnsRequestAction.domain", "name that was asked for"),
    field("user.name", Keyword, "resource.{accessKeyDetails.userName,kubernetesDetails.kubernetesUserDetails.username,rdsDbUserDetails.user}", "who acted"),
    field("user.id", Keyword, "resource.{accessKeyDetails.principalId,kubernetesDetails.kubernetesUserDetails.uid}", "id of who acted"),
    field("user.effective.name", Keyword, "resource.kubernetesDetails.kubernetesUserDetails.impersonatedUser.username", "whom a Kubernetes user acted as"),
    field("user.group.name", Keyword, "resource.kubernetesDetails.kubernetesUserDetails.groups[]", "Kubernetes groups of who acted"),
    field("user_agent.original", Keyword, "service.action.{awsApiCallAction,kubernetesApiCallAction}.userAgent", "program that called the API"),
    field("error.code", Keyword, "service.action.awsApiCallAction.errorCode", "error that the API answered"),
    field("http.response.status_code", Long, "service.action.kubernetesApiCallAction.statusCode", "what the Kubernetes API answered"),
    field("process.name", Keyword, process!("name"), "process that acted"),
    field("process.executable", Keyword, process!("executablePath"), "its file"),
    field("process.hash.sha256", Keyword, process!("executableSha256"), "hash of its file"),
    field("process.pid", Long, process!("pid"), "its number on the host"),
    field("process.entity_id", Keyword, process!("uuid"), "GuardDuty's id of it"),
    field("process.parent.entity_id", Keyword, process!("parentUuid"), "GuardDuty's id of its parent"),
    field("process.working_directory", Keyword, process!("pwd"), "where it ran"),
    field("process.start", Date, process!("startTime"), "when it started"),
    field("process.user.name", Keyword, process!("user"), "who ran it"),
    field("process.user.id", Keyword, process!("userId"), "number of who ran it"),
    field("container.id", Keyword, container!("id"), "containers"),
    field("container.name", Keyword, container!("name"), "their names"),
    field("container.runtime", Keyword, container!("containerRuntime"), "what runs them, such as containerd"),
    field("container.image.name", Keyword, container!("image"), "their images"),
    field("container.security_context.privileged", Boolean, container!("securityContext.privileged"), "whether they have the host's rights"),
    field("orchestrator.cluster.name", Keyword, "resource.{eksClusterDetails,ecsClusterDetails}.name", "EKS or ECS cluster"),
    field("orchestrator.namespace", Keyword, "{resource.kubernetesDetails.kubernetesWorkloadDetails.namespace,service.action.kubernetesApiCallAction.namespace,service.detection.sequence.resources[].data.kubernetesWorkload.namespace}", "Kubernetes namespaces"),
    field("orchestrator.resource.name", Keyword, "resource.kubernetesDetails.kubernetesWorkloadDetails.name", "Kubernetes workload"),
    field("orchestrator.resource.type", Keyword, "resource.kubernetesDetails.kubernetesWorkloadDetails.type", "kind of workload, such as pods"),
    field("file.path", Keyword, threat!("{filePaths[].filePath,itemPaths[].nestedItemPath,itemDetails[].itemPath}"), "files in which a scan found malware"),
    field("related.ip", Ip, MORE_ADDRESSES, "every address in the finding"),
    field("related.user", Keyword, USERS, "every user in the finding"),
    field("related.hosts", Keyword, HOSTS, "every host in the finding"),
    field("related.hash", Keyword, HASHES, "every file's hash in the finding"),
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
    field("aws.guardduty.custom_rule", Keyword, "customDetectionRuleName", "detection rule of your own that made the finding"),
    field("aws.guardduty.attack_sequence_arn", Keyword, "associatedAttackSequenceArn", "attack sequence that the finding is part of"),
    field("aws.guardduty.action_type", Keyword, "service.action.actionType", "kind of activity"),
    field("aws.guardduty.direction", Keyword, "service.action.networkConnectionAction.connectionDirection", "INBOUND, OUTBOUND or UNKNOWN"),
    field("aws.guardduty.port_name", Keyword, local!("localPortDetails.portName"), "name of the own port"),
    field("aws.guardduty.remote_port_name", Keyword, "service.action.networkConnectionAction.remotePortDetails.portName", "name of the remote port"),
    field("aws.guardduty.local_interface", Keyword, "service.action.networkConnectionAction.localNetworkInterface", "network interface that spoke"),
    field("aws.guardduty.remote_ip", Ip, remote!("{ipAddressV4,ipAddressV6}"), "remote addresses, whichever the direction"),
    field("aws.guardduty.remote_country", Keyword, remote!("country.countryName"), "country of the remote side, whichever the direction"),
    field("aws.guardduty.isp", Keyword, remote!("organization.isp"), "internet provider of the remote side"),
    field("aws.guardduty.org", Keyword, remote!("organization.org"), "organisation of the remote side"),
    field("aws.guardduty.remote_account_id", Keyword, "service.action.awsApiCallAction.remoteAccountDetails.accountId", "AWS account of the caller"),
    field("aws.guardduty.remote_account_affiliated", Boolean, "service.action.awsApiCallAction.remoteAccountDetails.affiliated", "whether the caller's account is one of the organisation"),
    field("aws.guardduty.resource_type", Keyword, "{resource.resourceType,resourceType}", "kind of affected resource"),
    field("aws.guardduty.resource_role", Keyword, "service.resourceRole", "TARGET or ACTOR"),
    field("aws.guardduty.resource_tags", FlatObject, TAGS, "tags of the affected resource, by name in lower case"),
    field("aws.guardduty.resource_tag_names", Keyword, TAG_NAMES, "names of the tags as they are written"),
    field("aws.guardduty.service_name", Keyword, "service.action.awsApiCallAction.serviceName | service.serviceName", "AWS service that was called, else guardduty"),
    field("aws.guardduty.feature", Keyword, "service.featureName", "GuardDuty feature that found it"),
    field("aws.guardduty.count", Long, "service.count", "how often it was seen"),
    field("aws.guardduty.archived", Boolean, "service.archived", "whether it was archived"),
    field("aws.guardduty.user_feedback", Keyword, "service.userFeedback", "what people said of it"),
    field("aws.guardduty.sample", Boolean, "service.additionalInfo.sample", "whether it is one of the generated sample findings"),
    field("aws.guardduty.blocked", Boolean, "service.action.{networkConnectionAction,dnsRequestAction,portProbeAction}.blocked", "whether the traffic was blocked already"),
    field("aws.guardduty.first_seen", Date, "service.eventFirstSeen", "first activity"),
    field("aws.guardduty.last_seen", Date, "service.eventLastSeen", "last activity"),
    field("aws.guardduty.domain", Keyword, "service.action.awsApiCallAction.domainDetails.domain", "service from which the API was called"),
    field("aws.guardduty.domain_with_suffix", Keyword, "service.action.dnsRequestAction.domainWithSuffix", "asked name with its public suffix"),
    field("aws.guardduty.vpc_owner_account_id", Keyword, "service.action.dnsRequestAction.vpcOwnerAccountId", "account of the VPC that asked"),
    field("aws.guardduty.access_key_id", Keyword, "resource.accessKeyDetails.accessKeyId", "access key"),
    field("aws.guardduty.user_type", Keyword, "{resource.accessKeyDetails.userType,service.detection.sequence.resources[].data.accessKey.userType}", "kind of user, such as IAMUser or AssumedRole"),
    field("aws.guardduty.api", Keyword, "service.action.awsApiCallAction.api", "API operation"),
    field("aws.guardduty.caller_type", Keyword, "service.action.awsApiCallAction.callerType", "what kind of caller"),
    field("aws.guardduty.kubernetes_verb", Keyword, "service.action.{kubernetesApiCallAction,kubernetesPermissionCheckedDetails}.verb", "verb of the Kubernetes API call"),
    field("aws.guardduty.kubernetes_uri", Keyword, "service.action.kubernetesApiCallAction.requestUri", "path of the Kubernetes API call"),
    field("aws.guardduty.kubernetes_resource", Keyword, "service.action.{kubernetesApiCallAction,kubernetesPermissionCheckedDetails}.resource", "kind of Kubernetes resource that was asked for"),
    field("aws.guardduty.kubernetes_subresource", Keyword, "service.action.kubernetesApiCallAction.subresource", "part of it, such as exec"),
    field("aws.guardduty.kubernetes_resource_name", Keyword, "service.action.kubernetesApiCallAction.resourceName", "its name"),
    field("aws.guardduty.kubernetes_parameters", Keyword, "service.action.kubernetesApiCallAction.parameters", "parameters of the Kubernetes API call"),
    field("aws.guardduty.kubernetes_allowed", Boolean, "service.action.kubernetesPermissionCheckedDetails.allowed", "whether the checked permission is granted"),
    field("aws.guardduty.kubernetes_role", Keyword, "service.action.{kubernetesRoleDetails,kubernetesRoleBindingDetails}.name", "Kubernetes role or binding that was changed"),
    field("aws.guardduty.kubernetes_role_kind", Keyword, "service.action.{kubernetesRoleDetails,kubernetesRoleBindingDetails}.kind", "Role, ClusterRole or a binding of one"),
    field("aws.guardduty.kubernetes_role_ref", Keyword, "service.action.kubernetesRoleBindingDetails.roleRefName", "role that a binding grants"),
    field("aws.guardduty.kubernetes_session", Keyword, "resource.kubernetesDetails.kubernetesUserDetails.sessionName[]", "session of the Kubernetes user"),
    field("aws.guardduty.service_account", Keyword, "resource.kubernetesDetails.kubernetesWorkloadDetails.serviceAccountName", "service account of the workload"),
    field("aws.guardduty.workload_id", Keyword, "resource.kubernetesDetails.kubernetesWorkloadDetails.uid", "id of the workload"),
    field("aws.guardduty.host_network", Boolean, "resource.kubernetesDetails.kubernetesWorkloadDetails.hostNetwork", "whether the workload uses the host's network"),
    field("aws.guardduty.host_pid", Boolean, "resource.kubernetesDetails.kubernetesWorkloadDetails.hostPID", "whether it sees the host's processes"),
    field("aws.guardduty.host_ipc", Boolean, "resource.kubernetesDetails.kubernetesWorkloadDetails.hostIPC", "whether it shares the host's memory"),
    field("aws.guardduty.host_path", Keyword, "resource.{kubernetesDetails.kubernetesWorkloadDetails,ecsClusterDetails.taskDetails}.volumes[].hostPath.path", "paths of the host that it mounts"),
    field("aws.guardduty.mount_path", Keyword, container!("volumeMounts[].mountPath"), "where its containers mount volumes"),
    field("aws.guardduty.privilege_escalation", Boolean, container!("securityContext.allowPrivilegeEscalation"), "whether its containers may gain rights"),
    field("aws.guardduty.additional_info", Keyword, "service.additionalInfo.value", "details of the detection, often JSON"),
    field("aws.guardduty.additional_info_type", Keyword, "service.additionalInfo.type", "what kind of details"),
    field("aws.guardduty.threat_list", Keyword, "{service.additionalInfo.threatListName,service.evidence.threatIntelligenceDetails[].threatListName}", "threat lists that name the remote side"),
    field("aws.guardduty.threat_name", Keyword, "{service.additionalInfo.threatName,service.evidence.threatIntelligenceDetails[].threatNames[]}", "threats by the lists' names"),
    field("aws.guardduty.bucket", Keyword, "{resource.s3BucketDetails[].name,s3ObjectDetails.bucketName,s3BucketDetails.bucketName}", "S3 bucket"),
    field("aws.guardduty.bucket_arn", Keyword, "resource.s3BucketDetails[].arn", "its ARN"),
    field("aws.guardduty.bucket_type", Keyword, "resource.s3BucketDetails[].type", "Source or Destination"),
    field("aws.guardduty.bucket_owner", Keyword, "{resource.s3BucketDetails[].owner.id,service.detection.sequence.resources[].data.s3Bucket.ownerId}", "its owner"),
    field("aws.guardduty.bucket_permission", Keyword, "{resource.s3BucketDetails[].publicAccess.effectivePermission,service.detection.sequence.resources[].data.s3Bucket.effectivePermission}", "PUBLIC, NOT_PUBLIC or UNKNOWN"),
    field("aws.guardduty.bucket_encryption", Keyword, "{resource.s3BucketDetails[].defaultServerSideEncryption.encryptionType,service.detection.sequence.resources[].data.s3Bucket.encryptionType}", "how it is encrypted"),
    field("aws.guardduty.object_key", Keyword, "{resource.s3BucketDetails[].s3ObjectDetails[].key,service.detection.sequence.resources[].data.s3Object.key,s3ObjectDetails.objectKey}", "S3 objects"),
    field("aws.guardduty.object_arn", Keyword, "resource.s3BucketDetails[].s3ObjectDetails[].objectArn", "their ARNs"),
    field("aws.guardduty.object_hash", Keyword, "resource.s3BucketDetails[].s3ObjectDetails[].hash", "their SHA-256"),
    field("aws.guardduty.object_etag", Keyword, "{resource.s3BucketDetails[].s3ObjectDetails[].eTag,service.detection.sequence.resources[].data.s3Object.eTag,s3ObjectDetails.eTag}", "their entity tags"),
    field("aws.guardduty.object_version", Keyword, "{resource.s3BucketDetails[].s3ObjectDetails[].versionId,service.detection.sequence.resources[].data.s3Object.versionId,s3ObjectDetails.versionId,service.malwareScanDetails.threats[].itemDetails[].additionalInfo.versionId}", "their versions"),
    field("aws.guardduty.eks_cluster", Keyword, "resource.eksClusterDetails.name", "EKS cluster"),
    field("aws.guardduty.eks_cluster_arn", Keyword, "resource.eksClusterDetails.arn", "its ARN"),
    field("aws.guardduty.eks_status", Keyword, "resource.eksClusterDetails.status", "its state"),
    field("aws.guardduty.rds_instance", Keyword, "resource.rdsDbInstanceDetails.dbInstanceIdentifier", "RDS instance"),
    field("aws.guardduty.rds_instance_arn", Keyword, "resource.rdsDbInstanceDetails.dbInstanceArn", "its ARN"),
    field("aws.guardduty.rds_cluster", Keyword, "resource.{rdsDbInstanceDetails,rdsLimitlessDbDetails}.dbClusterIdentifier", "RDS cluster"),
    field("aws.guardduty.rds_shard_group", Keyword, "resource.rdsLimitlessDbDetails.dbShardGroupIdentifier", "shard group of a limitless database"),
    field("aws.guardduty.rds_engine", Keyword, "resource.{rdsDbInstanceDetails,rdsLimitlessDbDetails}.engine", "database engine"),
    field("aws.guardduty.rds_engine_version", Keyword, "resource.{rdsDbInstanceDetails,rdsLimitlessDbDetails}.engineVersion", "its version"),
    field("aws.guardduty.database", Keyword, "resource.rdsDbUserDetails.database", "database that was logged in to"),
    field("aws.guardduty.application", Keyword, "{resource.rdsDbUserDetails.application,service.action.rdsLoginAttemptAction.loginAttributes[].application}", "program that logged in"),
    field("aws.guardduty.auth_method", Keyword, "resource.rdsDbUserDetails.authMethod", "how it logged in"),
    field("aws.guardduty.ssl", Keyword, "resource.rdsDbUserDetails.ssl", "TLS version of the login"),
    field("aws.guardduty.login_user", Keyword, "service.action.rdsLoginAttemptAction.loginAttributes[].user", "users that were tried"),
    field("aws.guardduty.failed_logins", Long, "service.action.rdsLoginAttemptAction.loginAttributes[].failedLoginAttempts", "failed logins of each"),
    field("aws.guardduty.successful_logins", Long, "service.action.rdsLoginAttemptAction.loginAttributes[].successfulLoginAttempts", "successful logins of each"),
    field("aws.guardduty.lambda_function", Keyword, "resource.lambdaDetails.functionName", "Lambda function"),
    field("aws.guardduty.lambda_arn", Keyword, "resource.lambdaDetails.functionArn", "its ARN"),
    field("aws.guardduty.lambda_version", Keyword, "resource.lambdaDetails.functionVersion", "its version"),
    field("aws.guardduty.lambda_role", Keyword, "resource.lambdaDetails.role", "its role"),
    field("aws.guardduty.ecs_cluster", Keyword, "resource.ecsClusterDetails.name", "ECS cluster"),
    field("aws.guardduty.ecs_cluster_arn", Keyword, "resource.ecsClusterDetails.arn", "its ARN"),
    field("aws.guardduty.ecs_task", Keyword, "resource.ecsClusterDetails.taskDetails.arn", "ECS task"),
    field("aws.guardduty.ecs_task_definition", Keyword, "{resource.ecsClusterDetails.taskDetails.definitionArn,service.detection.sequence.resources[].data.ecsTask.taskDefinitionArn}", "its definition"),
    field("aws.guardduty.ecs_group", Keyword, "resource.ecsClusterDetails.taskDetails.group", "service or family of the task"),
    field("aws.guardduty.ecs_launch_type", Keyword, "{resource.ecsClusterDetails.taskDetails.launchType,service.detection.sequence.resources[].data.ecsTask.launchType}", "EC2 or FARGATE"),
    field("aws.guardduty.container_image", Keyword, "{resource.containerDetails.image,resource.ecsClusterDetails.taskDetails.containers[].image,resource.kubernetesDetails.kubernetesWorkloadDetails.containers[].image,service.detection.sequence.resources[].data.container.image}", "container image"),
    field("aws.guardduty.process_name", Keyword, process!("name"), "process that acted"),
    field("aws.guardduty.process_path", Keyword, process!("executablePath"), "its file"),
    field("aws.guardduty.process_namespace_pid", Long, process!("namespacePid"), "its number in its container"),
    field("aws.guardduty.process_euid", Long, process!("euid"), "user whose rights it had"),
    field("aws.guardduty.lineage_name", Keyword, process!("lineage[].name"), "processes that it descends from"),
    field("aws.guardduty.lineage_path", Keyword, process!("lineage[].executablePath"), "their files"),
    field("aws.guardduty.lineage_id", Keyword, process!("lineage[].uuid"), "GuardDuty's ids of them"),
    field("aws.guardduty.modified_at", Date, context!("modifiedAt"), "when a process changed the other"),
    field("aws.guardduty.modifying_process", Keyword, context!("modifyingProcess.name"), "process that changed another's file"),
    field("aws.guardduty.modifying_process_path", Keyword, context!("modifyingProcess.executablePath"), "its file"),
    field("aws.guardduty.target_process", Keyword, context!("targetProcess.name"), "process that was changed"),
    field("aws.guardduty.target_process_path", Keyword, context!("targetProcess.executablePath"), "its file"),
    field("aws.guardduty.script_path", Keyword, context!("scriptPath"), "script that was run"),
    field("aws.guardduty.library_path", Keyword, context!("libraryPath"), "library that was loaded"),
    field("aws.guardduty.ld_preload", Keyword, context!("ldPreloadValue"), "value of LD_PRELOAD"),
    field("aws.guardduty.socket_path", Keyword, context!("socketPath"), "Docker socket that was spoken to"),
    field("aws.guardduty.runc_path", Keyword, context!("runcBinaryPath"), "runc that was changed"),
    field("aws.guardduty.release_agent_path", Keyword, context!("releaseAgentPath"), "release agent that was changed"),
    field("aws.guardduty.mount_source", Keyword, context!("mountSource"), "what was mounted"),
    field("aws.guardduty.mount_target", Keyword, context!("mountTarget"), "where it was mounted"),
    field("aws.guardduty.file_system", Keyword, context!("fileSystemType"), "type of the file system"),
    field("aws.guardduty.flags", Keyword, context!("flags[]"), "options such as those of a mount"),
    field("aws.guardduty.module_name", Keyword, context!("moduleName"), "kernel module that was loaded"),
    field("aws.guardduty.module_path", Keyword, context!("moduleFilePath"), "its file"),
    field("aws.guardduty.shell_history", Keyword, context!("shellHistoryFilePath"), "shell history that was changed"),
    field("aws.guardduty.address_family", Keyword, context!("addressFamily"), "family of the socket"),
    field("aws.guardduty.memory_region", Keyword, context!("memoryRegions[]"), "memory that was changed"),
    field("aws.guardduty.tool", Keyword, context!("toolName"), "tool that was run"),
    field("aws.guardduty.tool_category", Keyword, context!("toolCategory"), "kind of tool"),
    field("aws.guardduty.security_service", Keyword, context!("serviceName"), "security service that was stopped"),
    field("aws.guardduty.command_line", Keyword, context!("commandLineExample"), "command line that was run"),
    field("aws.guardduty.threat_file", Keyword, context!("threatFilePath"), "file that is a threat"),
    field("aws.guardduty.file_operation", Keyword, context!("fileOperation"), "what was done to a watched file"),
    field("aws.guardduty.watched_file", Keyword, context!("{filePath,relatedFilePaths[]}"), "watched files"),
    field("aws.guardduty.malware", Keyword, "{service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].name,service.malwareScanDetails.threats[].name,scanResultDetails.threats[].name}", "malware that a scan found"),
    field("aws.guardduty.malware_severity", Keyword, scan!("{threatDetectedByName.threatNames[].severity,highestSeverityThreatDetails.severity}"), "how bad it is"),
    field("aws.guardduty.malware_worst", Keyword, scan!("highestSeverityThreatDetails.threatName"), "the worst of it"),
    field("aws.guardduty.malware_file", Keyword, threat!("filePaths[].fileName"), "names of the files that hold it"),
    field("aws.guardduty.malware_source", Keyword, "{service.malwareScanDetails.threats[].source,service.ebsVolumeScanDetails.sources[]}", "who knows it as malware"),
    field("aws.guardduty.malware_resource", Keyword, "{service.malwareScanDetails.threats[].itemDetails[].resourceArn,service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames[].filePaths[].volumeArn}", "volumes, snapshots and the like that hold it"),
    field("aws.guardduty.unique_threats", Long, "service.{malwareScanDetails.uniqueThreatCount,ebsVolumeScanDetails.scanDetections.threatDetectedByName.uniqueThreatNameCount}", "count of distinct malware"),
    field("aws.guardduty.infected_items", Long, scan!("{threatsDetectedItemCount.files,threatDetectedByName.itemCount}"), "count of files that hold malware"),
    field("aws.guardduty.scan_id", Keyword, "service.{ebsVolumeScanDetails,malwareScanDetails}.scanId", "malware scan"),
    field("aws.guardduty.scan_type", Keyword, "service.{ebsVolumeScanDetails,malwareScanDetails}.scanType", "who started it"),
    field("aws.guardduty.scan_category", Keyword, "service.malwareScanDetails.scanCategory", "full or incremental"),
    field("aws.guardduty.scan_started", Date, "service.ebsVolumeScanDetails.scanStartedAt", "when it started"),
    field("aws.guardduty.scan_completed", Date, "service.ebsVolumeScanDetails.scanCompletedAt", "when it ended"),
    field("aws.guardduty.scan_trigger", Keyword, "{service.ebsVolumeScanDetails.triggerFindingId,service.malwareScanDetails.scanConfiguration.triggerType}", "finding or service that started it"),
    field("aws.guardduty.scanned_files", Long, scan!("scannedItemCount.files"), "files that were scanned"),
    field("aws.guardduty.scanned_volumes", Long, scan!("scannedItemCount.volumes"), "volumes that were scanned"),
    field("aws.guardduty.scanned_gigabytes", Long, scan!("scannedItemCount.totalGb"), "how much was scanned"),
    field("aws.guardduty.scan_status", Keyword, "scanStatus", "COMPLETED, SKIPPED or FAILED, of an object's scan"),
    field("aws.guardduty.scan_result", Keyword, "scanResultDetails.scanResultStatus", "NO_THREATS_FOUND, THREATS_FOUND and so on"),
    field("aws.guardduty.scan_reason", Keyword, "scanResultDetails.statusReasons[]", "why an object's scan was skipped or failed"),
    field("aws.guardduty.scan_throttled", Boolean, "s3ObjectDetails.s3Throttled", "whether S3 delayed the scan"),
    field("aws.guardduty.protection_status", Keyword, "resourceStatus", "whether a bucket's malware protection works"),
    field("aws.guardduty.post_scan_action", Keyword, "postScanActions[].actionType", "what failed after a scan, such as TAGGING"),
    field("aws.guardduty.post_scan_failure", Keyword, "postScanActions[].failureReason", "why it failed"),
    field("aws.guardduty.volume_arn", Keyword, "resource.ebsVolumeDetails.{scannedVolumeDetails[],skippedVolumeDetails[]}.volumeArn", "EBS volumes"),
    field("aws.guardduty.snapshot_arn", Keyword, "resource.{ebsVolumeDetails.scannedVolumeDetails[],ebsVolumeDetails.skippedVolumeDetails[],ebsSnapshotDetails}.snapshotArn", "EBS snapshots"),
    field("aws.guardduty.image_arn", Keyword, "resource.ec2ImageDetails.imageArn", "machine image that was scanned"),
    field("aws.guardduty.backup_vault", Keyword, "resource.recoveryPointDetails.backupVaultName", "backup vault"),
    field("aws.guardduty.recovery_point_arn", Keyword, "resource.recoveryPointDetails.recoveryPointArn", "recovery point that was scanned"),
    field("aws.guardduty.sequence_id", Keyword, sequence!("uid"), "attack sequence"),
    field("aws.guardduty.sequence_description", Keyword, sequence!("description"), "what happened in it"),
    field("aws.guardduty.sequence_type", Keyword, sequence!("additionalSequenceTypes[]"), "further types of attack sequence"),
    field("aws.guardduty.signal", Keyword, sequence!("signals[].name"), "signals of an attack sequence"),
    field("aws.guardduty.signal_id", Keyword, sequence!("signals[].uid"), "their ids"),
    field("aws.guardduty.signal_type", Keyword, sequence!("signals[].type"), "where they come from, such as FINDING or CLOUD_TRAIL"),
    field("aws.guardduty.signal_severity", Float, sequence!("signals[].severity"), "their severities"),
    field("aws.guardduty.signal_count", Long, sequence!("signals[].count"), "how often they were seen"),
    field("aws.guardduty.signal_first_seen", Date, sequence!("signals[].firstSeenAt"), "when they were first seen"),
    field("aws.guardduty.signal_last_seen", Date, sequence!("signals[].lastSeenAt"), "when they were last seen"),
    field("aws.guardduty.signal_api", Keyword, sequence!("signals[].activities[].api.operation"), "API operations among them"),
    field("aws.guardduty.signal_api_service", Keyword, sequence!("signals[].activities[].api.service"), "services of those"),
    field("aws.guardduty.signal_api_error", Keyword, sequence!("signals[].activities[].api.error"), "errors that those answered"),
    field("aws.guardduty.signal_user_agent", Keyword, sequence!("signals[].activities[].api.userAgent"), "programs that called those"),
    field("aws.guardduty.indicator", Keyword, "service.detection.sequence.{sequenceIndicators[],signals[].signalIndicators[]}.key", "kinds of indicators, such as ATTACK_TACTIC"),
    field("aws.guardduty.indicator_title", Keyword, "service.detection.sequence.{sequenceIndicators[],signals[].signalIndicators[]}.title", "their titles"),
    field("aws.guardduty.indicator_value", Keyword, "service.detection.sequence.{sequenceIndicators[],signals[].signalIndicators[]}.values[]", "their values"),
    field("aws.guardduty.tactic", Keyword, "", "tactics of MITRE ATT&CK among the indicators"),
    field("aws.guardduty.technique", Keyword, "", "techniques of MITRE ATT&CK among the indicators"),
    field("aws.guardduty.actor_id", Keyword, sequence!("actors[].id"), "actors of an attack sequence"),
    field("aws.guardduty.actor_user", Keyword, sequence!("actors[].user.name"), "their users"),
    field("aws.guardduty.actor_user_type", Keyword, sequence!("actors[].user.type"), "kinds of their users"),
    field("aws.guardduty.actor_account_id", Keyword, sequence!("actors[].user.account.uid"), "their accounts"),
    field("aws.guardduty.actor_access_key_id", Keyword, sequence!("actors[].user.credentialUid"), "their access keys"),
    field("aws.guardduty.actor_mfa", Keyword, sequence!("actors[].session.mfaStatus"), "whether their sessions used a second factor"),
    field("aws.guardduty.actor_session_issuer", Keyword, sequence!("actors[].session.issuer"), "who issued their sessions"),
    field("aws.guardduty.actor_process", Keyword, sequence!("actors[].process.name"), "their processes"),
    field("aws.guardduty.actor_process_path", Keyword, sequence!("actors[].process.path"), "files of their processes"),
    field("aws.guardduty.endpoint_id", Keyword, sequence!("endpoints[].id"), "endpoints of an attack sequence"),
    field("aws.guardduty.endpoint_ip", Ip, sequence!("endpoints[].ip"), "their addresses"),
    field("aws.guardduty.endpoint_domain", Keyword, sequence!("endpoints[].domain"), "their names"),
    field("aws.guardduty.endpoint_port", Long, sequence!("endpoints[].port"), "their ports"),
    field("aws.guardduty.endpoint_country", Keyword, sequence!("endpoints[].location.country"), "their countries"),
    field("aws.guardduty.endpoint_city", Keyword, sequence!("endpoints[].location.city"), "their cities"),
    field("aws.guardduty.endpoint_as_number", Long, sequence!("endpoints[].autonomousSystem.number"), "their autonomous systems"),
    field("aws.guardduty.endpoint_as_name", Keyword, sequence!("endpoints[].autonomousSystem.name"), "who runs their networks"),
    field("aws.guardduty.endpoint_direction", Keyword, sequence!("endpoints[].connection.direction"), "INBOUND or OUTBOUND"),
    field("aws.guardduty.sequence_resource", Keyword, sequence!("resources[].uid"), "resources of an attack sequence"),
    field("aws.guardduty.sequence_resource_name", Keyword, sequence!("resources[].name"), "their names"),
    field("aws.guardduty.sequence_resource_type", Keyword, sequence!("resources[].resourceType"), "their types"),
    field("aws.guardduty.sequence_resource_service", Keyword, sequence!("resources[].service"), "their services"),
    field("aws.guardduty.sequence_resource_region", Keyword, sequence!("resources[].region"), "their regions"),
    field("aws.guardduty.sequence_resource_account_id", Keyword, sequence!("resources[].accountId"), "their accounts"),
    field("aws.guardduty.model_id", Keyword, "resource.modelDetails.modelId", "Bedrock model that was called"),
    field("aws.guardduty.guardrail_arn", Keyword, "resource.bedrockGuardrailDetails.{guardrailArn,guardrails[].arn}", "Bedrock guardrails"),
    field("aws.guardduty.guardrail_action", Keyword, "{resource.bedrockGuardrailDetails.guardrailAction,service.detection.sequence.resources[].data.bedrockGuardrail.guardrailAction}", "what the guardrail did"),
    field("aws.guardduty.guardrail_source", Keyword, "{resource.bedrockGuardrailDetails.guardrailSource,service.detection.sequence.resources[].data.bedrockGuardrail.guardrailSource}", "whether it looked at what went in or what came out"),
    field("aws.guardduty.guardrail_filter", Keyword, "resource.bedrockGuardrailDetails.contentPolicyFilters[].type", "kinds of content that it saw"),
    field("aws.guardduty.instance_type", Keyword, "{resource.instanceDetails.instanceType,service.detection.sequence.resources[].data.ec2Instance.instanceType}", "size of the instance"),
    field("aws.guardduty.instance_state", Keyword, "{resource.instanceDetails.instanceState,service.detection.sequence.resources[].data.ec2Instance.instanceState}", "state of the instance"),
    field("aws.guardduty.instance_launched", Date, "resource.instanceDetails.launchTime", "when the instance was launched"),
    field("aws.guardduty.instance_profile", Keyword, "{resource.instanceDetails.iamInstanceProfile.arn,service.detection.sequence.resources[].data.ec2Instance.iamInstanceProfile.arn}", "role of the instance"),
    field("aws.guardduty.image_id", Keyword, "resource.instanceDetails.imageId", "machine image"),
    field("aws.guardduty.interface_id", Keyword, "resource.instanceDetails.networkInterfaces[].networkInterfaceId", "network interfaces"),
    field("aws.guardduty.vpc_id", Keyword, "{resource.instanceDetails.networkInterfaces[].vpcId,service.detection.sequence.resources[].data.ec2NetworkInterface.vpcId,resource.eksClusterDetails.vpcId,resource.lambdaDetails.vpcConfig.vpcId,service.detection.sequence.resources[].data.eksCluster.vpcId}", "VPC"),
    field("aws.guardduty.subnet_id", Keyword, "{resource.instanceDetails.networkInterfaces[].subnetId,service.detection.sequence.resources[].data.ec2NetworkInterface.subNetId,resource.lambdaDetails.vpcConfig.subnetIds[]}", "subnets"),
    field("aws.guardduty.security_group", Keyword, "{resource.instanceDetails.networkInterfaces[].securityGroups[].groupId,service.detection.sequence.resources[].data.ec2NetworkInterface.securityGroups[].groupId,resource.lambdaDetails.vpcConfig.securityGroups[].groupId}", "security groups"),
    field("aws.guardduty.rest", FlatObject, "", "what no field took"),
];
