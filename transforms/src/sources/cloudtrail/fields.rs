//! The table: what an `ecs` document of a CloudTrail event may carry.

use crate::schema::{
    Field,
    Type::{Boolean, Date, FlatObject, Float, Ip, Keyword, Long},
    field,
};

/// A member of the identity that called.
macro_rules! identity {
    ($leaf:literal) => {
        concat!("userIdentity.", $leaf)
    };
}

/// A member of the identity that the session was issued to.
macro_rules! issuer {
    ($leaf:literal) => {
        concat!("userIdentity.sessionContext.sessionIssuer.", $leaf)
    };
}

/// What an Insights event says of the unusual activity.
macro_rules! insight {
    ($leaf:literal) => {
        concat!("insightDetails.", $leaf)
    };
}

/// Where a sign-in, or a step of one, says whether it succeeded.
macro_rules! signed_in {
    () => {
        concat!(
            "{responseElements.ConsoleLogin,responseElements.CheckMfa,responseElements.SwitchRole,",
            "responseElements.ExitRole,responseElements.RenewRole,responseElements.PasswordRecoveryRequested,",
            "responseElements.PasswordRecoveryCompleted,responseElements.PasswordUpdated,",
            "serviceEventDetails.UserAuthentication,serviceEventDetails.CredentialChallenge,",
            "serviceEventDetails.CredentialVerification}"
        )
    };
}

/// The rows of CloudTrail events. A path that ends with `!` takes a body in one piece, whatever its type.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    field("@timestamp", Date, "eventTime", "when it happened"),
    field("event.action", Keyword, "eventName | insightDetails.eventName", "API operation, or the name of another event"),
    field("event.provider", Keyword, "eventSource | insightDetails.eventSource", "service, such as iam.amazonaws.com"),
    field("event.kind", Keyword, "", "event; alert for unusual activity that CloudTrail Insights found"),
    field("event.category", Keyword, "", "api for calls, and what the service is about, such as iam, network, file"),
    field("event.type", Keyword, "", "from the first word of the name; denied when permission was missing"),
    field("event.outcome", Keyword, signed_in!(), "failure when the sign-in or call failed, otherwise success"),
    field("cloud.account.id", Keyword, "recipientAccountId | userIdentity.accountId", "account that received the event"),
    field("cloud.region", Keyword, "awsRegion", "AWS Region"),
    field("source.address", Keyword, "sourceIPAddress", "caller, when it is no address: AWS Internal, the name of a service, or all proxies on the way"),
    field("source.ip", Ip, "sourceIPAddress", "address of the caller; behind proxies the last public one"),
    field("user.name", Keyword, "userIdentity.userName | userIdentity.sessionContext.sessionIssuer.userName", "user, or the role of a session; root for the account's root user"),
    field("user.id", Keyword, identity!("principalId"), "principal id of the caller"),
    field("user.target.name", Keyword, "requestParameters.userName", "user that the call was about"),
    field("user_agent.original", Keyword, "userAgent", "program that called the API"),
    field("tls.version", Keyword, "tlsDetails.tlsVersion", "version of TLS, such as 1.3"),
    field("tls.cipher", Keyword, "tlsDetails.cipherSuite | additionalEventData.CipherSuite", "cipher suite"),
    field("tls.curve", Keyword, "tlsDetails.keyExchange", "key exchange"),
    field("tls.client.server_name", Keyword, "tlsDetails.clientProvidedHostHeader", "host that the client asked for"),
    field("error.code", Keyword, "errorCode", "error that the service answered, such as AccessDenied"),
    field("error.message", Keyword, "errorMessage", "description of the error"),
    field("related.ip", Ip, "", "every address in the event"),
    field("related.user", Keyword, "{userIdentity.userName,userIdentity.sessionContext.sessionIssuer.userName,userIdentity.sessionContext.sourceIdentity,requestParameters.userName,requestParameters.roleSessionName,responseElements.user.userName,additionalEventData.UserName}", "every user in the event, names of sessions included"),
    field("related.hosts", Keyword, "{tlsDetails.clientProvidedHostHeader,requestParameters.Host,responseElements.instancesSet.items[].privateDnsName,responseElements.instancesSet.items[].dnsName}", "every host in the event"),
    field("aws.cloudtrail.event_id", Keyword, "eventID", "id of the event"),
    field("aws.cloudtrail.event_version", Keyword, "eventVersion", "version of the event format"),
    field("aws.cloudtrail.event_type", Keyword, "eventType", "AwsApiCall, AwsConsoleSignIn, AwsServiceEvent and so on"),
    field("aws.cloudtrail.event_category", Keyword, "eventCategory", "Management, Data, NetworkActivity or Insight"),
    field("aws.cloudtrail.management_event", Boolean, "managementEvent", "whether it is a management event"),
    field("aws.cloudtrail.read_only", Boolean, "readOnly", "whether the call only reads"),
    field("aws.cloudtrail.request_id", Keyword, "requestID", "id of the request, given by the service"),
    field("aws.cloudtrail.shared_event_id", Keyword, "sharedEventID", "id that the copies of one action in several accounts share"),
    field("aws.cloudtrail.api_version", Keyword, "apiVersion", "version of the API"),
    field("aws.cloudtrail.recipient_account_id", Keyword, "recipientAccountId", "account that received the event"),
    field("aws.cloudtrail.vpc_endpoint_id", Keyword, "vpcEndpointId", "VPC endpoint that the call came through"),
    field("aws.cloudtrail.vpc_endpoint_account_id", Keyword, "vpcEndpointAccountId", "account that owns the VPC endpoint"),
    field("aws.cloudtrail.session_credential_from_console", Boolean, "sessionCredentialFromConsole", "whether the session began in the console"),
    field("aws.cloudtrail.edge_device", Keyword, "edgeDeviceDetails!", "edge device that was called, as JSON text"),
    field("aws.cloudtrail.addendum.reason", Keyword, "addendum.reason", "why the event came late or again"),
    field("aws.cloudtrail.addendum.updated_fields", Keyword, "addendum.updatedFields", "fields that changed against the first delivery"),
    field("aws.cloudtrail.addendum.original_event_id", Keyword, "addendum.originalEventID", "id of the first delivery"),
    field("aws.cloudtrail.addendum.original_request_id", Keyword, "addendum.originalRequestID", "request id of the first delivery"),
    field("aws.cloudtrail.user_identity.type", Keyword, identity!("type"), "Root, IAMUser, AssumedRole, AWSService and so on"),
    field("aws.cloudtrail.user_identity.arn", Keyword, identity!("arn"), "ARN of the caller"),
    field("aws.cloudtrail.user_identity.principal_id", Keyword, identity!("principalId"), "principal id of the caller"),
    field("aws.cloudtrail.user_identity.account_id", Keyword, identity!("accountId"), "account of the caller"),
    field("aws.cloudtrail.user_identity.access_key_id", Keyword, identity!("accessKeyId"), "access key that signed the call"),
    field("aws.cloudtrail.user_identity.user_name", Keyword, identity!("userName"), "name of the user"),
    field("aws.cloudtrail.user_identity.invoked_by", Keyword, identity!("invokedBy"), "service that called in the user's place"),
    field("aws.cloudtrail.user_identity.invoked_by_delegate", Keyword, identity!("invokedByDelegate.accountId"), "account that a permission to act was delegated to"),
    field("aws.cloudtrail.user_identity.identity_provider", Keyword, identity!("identityProvider"), "provider of a federated identity"),
    field("aws.cloudtrail.user_identity.credential_id", Keyword, identity!("credentialId"), "id of a credential that is no access key"),
    field("aws.cloudtrail.user_identity.session_name", Keyword, "", "name of the session, from the ARN of an assumed role or federated user"),
    field("aws.cloudtrail.user_identity.on_behalf_of.user_id", Keyword, identity!("onBehalfOf.userId"), "Identity Center user that the call was made for"),
    field("aws.cloudtrail.user_identity.on_behalf_of.identity_store_arn", Keyword, identity!("onBehalfOf.identityStoreArn"), "directory of that user"),
    field("aws.cloudtrail.user_identity.in_scope_of.issuer_type", Keyword, identity!("inScopeOf.issuerType"), "kind of resource that holds the credentials, such as AWS::Lambda::Function"),
    field("aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to", Keyword, identity!("inScopeOf.credentialsIssuedTo"), "resource that the credentials were issued to"),
    field("aws.cloudtrail.user_identity.in_scope_of.source_arn", Keyword, identity!("inScopeOf.sourceArn"), "resource that called"),
    field("aws.cloudtrail.user_identity.in_scope_of.source_account", Keyword, identity!("inScopeOf.sourceAccount"), "its account"),
    field("aws.cloudtrail.user_identity.session_context.creation_date", Date, identity!("sessionContext.attributes.creationDate"), "when the session began"),
    field("aws.cloudtrail.user_identity.session_context.mfa_authenticated", Boolean, identity!("sessionContext.attributes.mfaAuthenticated"), "whether the session began with a second factor"),
    field("aws.cloudtrail.user_identity.session_context.source_identity", Keyword, identity!("sessionContext.sourceIdentity"), "source identity, which stays through chained roles"),
    field("aws.cloudtrail.user_identity.session_context.assumed_root", Boolean, identity!("sessionContext.assumedRoot"), "whether it is a root session from AssumeRoot"),
    field("aws.cloudtrail.user_identity.session_context.ec2_role_delivery", Keyword, identity!("sessionContext.ec2RoleDelivery"), "version of the instance metadata service that delivered the credentials"),
    field("aws.cloudtrail.user_identity.session_context.session_issuer.type", Keyword, issuer!("type"), "kind of identity that the session was issued to"),
    field("aws.cloudtrail.user_identity.session_context.session_issuer.arn", Keyword, issuer!("arn"), "its ARN"),
    field("aws.cloudtrail.user_identity.session_context.session_issuer.user_name", Keyword, issuer!("userName"), "its name"),
    field("aws.cloudtrail.user_identity.session_context.session_issuer.principal_id", Keyword, issuer!("principalId"), "its principal id"),
    field("aws.cloudtrail.user_identity.session_context.session_issuer.account_id", Keyword, issuer!("accountId"), "its account"),
    field("aws.cloudtrail.user_identity.session_context.web_id_federation.provider", Keyword, identity!("sessionContext.webIdFederationData.federatedProvider"), "web identity provider"),
    field("aws.cloudtrail.user_identity.session_context.web_id_federation.attributes", Keyword, identity!("sessionContext.webIdFederationData.attributes!"), "what the provider said of the identity, as JSON text"),
    field("aws.cloudtrail.resources.arn", Keyword, "resources[].{ARN,arn,ARNPrefix}", "ARNs of the resources"),
    field("aws.cloudtrail.resources.type", Keyword, "resources[].type", "their types, such as AWS::S3::Bucket"),
    field("aws.cloudtrail.resources.account_id", Keyword, "resources[].{accountId,accountID}", "accounts that own them"),
    field("aws.cloudtrail.bucket", Keyword, "requestParameters.bucketName", "S3 bucket"),
    field("aws.cloudtrail.object_key", Keyword, "requestParameters.key", "key of the S3 object"),
    field("aws.cloudtrail.role_arn", Keyword, "requestParameters.roleArn", "role that was assumed or named"),
    field("aws.cloudtrail.assumed_role_arn", Keyword, "responseElements.assumedRoleUser.arn", "session that AssumeRole answered"),
    field("aws.cloudtrail.issued_access_key_id", Keyword, "responseElements.{credentials,accessKey}.accessKeyId", "access key that the call made"),
    field("aws.cloudtrail.instance_id", Keyword, "{requestParameters.instanceId,requestParameters.instancesSet.items[].instanceId,responseElements.instancesSet.items[].instanceId}", "EC2 instances that the call was about"),
    field("aws.cloudtrail.security_group", Keyword, "{requestParameters.groupId,responseElements.groupId}", "security group that the call was about"),
    field("aws.cloudtrail.policy_arn", Keyword, "requestParameters.policyArn", "policy that the call was about"),
    field("aws.cloudtrail.bytes_in", Long, "additionalEventData.bytesTransferredIn", "bytes that the service received"),
    field("aws.cloudtrail.bytes_out", Long, "additionalEventData.bytesTransferredOut", "bytes that the service sent"),
    field("aws.cloudtrail.mfa_used", Boolean, "additionalEventData.MFAUsed", "whether a console sign-in used a second factor"),
    field("aws.cloudtrail.login_to", Keyword, "additionalEventData.LoginTo", "page that a sign-in led to"),
    field("aws.cloudtrail.insight.type", Keyword, insight!("insightType"), "ApiCallRateInsight or ApiErrorRateInsight"),
    field("aws.cloudtrail.insight.state", Keyword, insight!("state"), "Start or End"),
    field("aws.cloudtrail.insight.error_code", Keyword, insight!("errorCode"), "error whose rate is unusual"),
    field("aws.cloudtrail.insight.source_event_category", Keyword, insight!("sourceEventCategory"), "category of the events that were looked at"),
    field("aws.cloudtrail.insight.baseline_average", Float, insight!("insightContext.statistics.baseline.average"), "usual calls a minute"),
    field("aws.cloudtrail.insight.average", Float, insight!("insightContext.statistics.insight.average"), "calls a minute during the unusual activity"),
    field("aws.cloudtrail.insight.duration", Long, insight!("insightContext.statistics.insightDuration"), "minutes that it lasted"),
    field("aws.cloudtrail.insight.baseline_duration", Long, insight!("insightContext.statistics.baselineDuration"), "minutes that the baseline covers"),
    field("aws.cloudtrail.insight.attributions", Keyword, insight!("insightContext.attributions!"), "who called with what during it and before, as JSON text"),
    field("aws.cloudtrail.request_parameters", Keyword, "requestParameters!", "the request as JSON text"),
    field("aws.cloudtrail.response_elements", Keyword, "responseElements!", "the response as JSON text"),
    field("aws.cloudtrail.additional_event_data", Keyword, "additionalEventData!", "what the service adds, as JSON text"),
    field("aws.cloudtrail.service_event_details", Keyword, "serviceEventDetails!", "details of a service event, as JSON text"),
    field("aws.cloudtrail.event_context", Keyword, "eventContext!", "tags and condition keys of an enriched event, as JSON text"),
    field("aws.cloudtrail.flat", FlatObject, "{requestParameters,responseElements,additionalEventData,serviceEventDetails,eventContext,edgeDeviceDetails,userIdentity.sessionContext.webIdFederationData.attributes,insightDetails.insightContext.attributions}!", "the same bodies, for searches by AWS's own names: aws.cloudtrail.flat.requestParameters.bucketName"),
    field("aws.cloudtrail.rest", FlatObject, "", "what no field took"),
];
