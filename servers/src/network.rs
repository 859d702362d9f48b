//! A network on an EC2 that has none yet, made by EC2's own calls, without an SDK.

/// The region of everything here.
pub(crate) const REGION: &str = "eu-central-1";

/// By which the servers tell what service is meant.
pub(crate) fn authorization(service: &str) -> String {
    let credential = format!("Credential=test/20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0")
}

/// Makes a VPC with a gateway to the internet, and a subnet in it that a network ACL without entries guards; says which ACL and which
/// subnet. `url` is where EC2 is.
///
/// # Panics
/// When there is no answer.
pub async fn guarded_subnet(url: &str) -> (String, String) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let call = async |action: &str, form: &[(&str, &str)], element: &str| {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", action).append_pair("Version", "2016-11-15");
        let asked = client
            .post(url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Authorization", authorization("ec2"))
            .body(body.extend_pairs(form).finish());
        let answer = asked.send().await.expect("an answer").text().await.expect("text");
        let after = answer.split(&format!("<{element}>")).nth(1).unwrap_or_default();
        after.split('<').next().unwrap_or_default().to_owned()
    };
    let network = ("CidrBlock", "10.0.0.0/24");
    let vpc = call("CreateVpc", &[network], "vpcId").await;
    let subnet = call("CreateSubnet", &[("VpcId", &vpc), network], "subnetId").await;
    let acl = call("CreateNetworkAcl", &[("VpcId", &vpc)], "networkAclId").await;
    let of_subnet = [
        ("Filter.1.Name", "association.subnet-id"),
        ("Filter.1.Value.1", &subnet),
    ];
    let association = call("DescribeNetworkAcls", &of_subnet, "networkAclAssociationId").await;
    let moved = [("AssociationId", association.as_str()), ("NetworkAclId", &acl)];
    call("ReplaceNetworkAclAssociation", &moved, "newAssociationId").await;
    let gateway = call("CreateInternetGateway", &[], "internetGatewayId").await;
    let attached = [("InternetGatewayId", gateway.as_str()), ("VpcId", &vpc)];
    call("AttachInternetGateway", &attached, "return").await;
    let of_vpc = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", &vpc)];
    let table = call("DescribeRouteTables", &of_vpc, "routeTableId").await;
    let route = [
        ("RouteTableId", table.as_str()),
        ("GatewayId", &gateway),
        ("DestinationCidrBlock", "0.0.0.0/0"),
    ];
    call("CreateRoute", &route, "return").await;
    (acl, subnet)
}
