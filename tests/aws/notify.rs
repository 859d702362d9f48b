//! Where the webhook's secret may be, and the second channel, with moto in the place of AWS.

use serde_json::json;

use crate::moto::Moto;
use crate::program::{Run, portcullis_with};
use crate::slack::Webhook;

/// Sends a test message with this configuration, and these variables beside those for moto.
fn test(moto: &Moto, configuration: &str, more: &[(&str, &str)]) -> Run {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("portcullis.toml"), configuration).expect("a configuration");
    let known = moto.environment();
    let environment: Vec<(&str, &str)> = known
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .chain(more.iter().copied())
        .collect();
    let run = portcullis_with(dir.path(), &["notify", "test", "--json"], b"", &environment);
    assert!(
        !format!("{}{}", run.out, run.err).contains("services/T0"),
        "the secret is shown: {run:?}"
    );
    run
}

#[tokio::test]
async fn the_webhook_comes_from_wherever_it_is_kept() {
    let (moto, webhook) = (Moto::start(), Webhook::start(0));
    let url = webhook.url.as_str();
    moto.call(
        "ssm",
        "AmazonSSM.PutParameter",
        &json!({"Name": "/portcullis/webhook", "Type": "SecureString", "Value": url}),
    )
    .await;
    for (name, text) in [
        ("plain", url.to_owned()),
        ("keyed", json!({"webhook": url}).to_string()),
        ("other", json!({"url": url}).to_string()),
    ] {
        moto.call(
            "secretsmanager",
            "secretsmanager.CreateSecret",
            &json!({"Name": name, "SecretString": text}),
        )
        .await;
    }
    let key = moto.call("kms", "TrentService.CreateKey", &json!({})).await;
    let text = base64_turbo::STANDARD.encode(url);
    let mut encrypted = Vec::new();
    for context in [json!({}), json!({"LambdaFunctionName": "respond"})] {
        let asked = json!({"KeyId": key["KeyMetadata"]["KeyId"], "Plaintext": text, "EncryptionContext": context});
        let answer = moto.call("kms", "TrentService.Encrypt", &asked).await;
        encrypted.push(answer["CiphertextBlob"].as_str().expect("a text").to_owned());
    }
    let by_kms = "[slack]\nwebhook_encrypted_env = \"SEALED\"";
    let here = ("SEALED", encrypted[0].as_str());
    let function = ("SEALED", encrypted[1].as_str());
    let name = |name| ("AWS_LAMBDA_FUNCTION_NAME", name);
    for (taken, (configuration, variables)) in [
        ("", &[("PORTCULLIS_SLACK_WEBHOOK", url)][..]),
        ("[slack]\nwebhook_parameter = \"/portcullis/webhook\"", &[]),
        ("[slack]\nwebhook_secret = \"plain\"", &[]),
        ("[slack]\nwebhook_secret = \"keyed\"", &[]),
        (by_kms, &[here]),
        (by_kms, &[function, name("respond")]),
    ]
    .into_iter()
    .enumerate()
    {
        let run = test(&moto, configuration, variables).ended(0);
        assert_eq!(
            run.lines(),
            [json!({"channel": "slack", "delivered": true, "why": null})],
            "{configuration}"
        );
        assert_eq!(webhook.messages().len(), taken + 1, "{configuration}");
    }
    for (configuration, variables, said) in [
        ("[slack]\nwebhook_parameter = \"/no\"", &[][..], "ssm:GetParameter"),
        ("[slack]\nwebhook_secret = \"no\"", &[], "secretsmanager:GetSecretValue"),
        ("[slack]\nwebhook_secret = \"other\"", &[], "without the key `webhook`"),
        (by_kms, &[], "SEALED holds no base64"),
        (by_kms, &[function, name("another")], "kms:Decrypt"),
        (
            "[slack]\nwebhook_secret = \"a\"\nwebhook_parameter = \"b\"",
            &[],
            "one place",
        ),
        ("", &[], "no channel is configured"),
    ] {
        let run = test(&moto, configuration, variables).ended(2);
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
    assert_eq!(webhook.messages().len(), 6);
}

#[tokio::test]
async fn a_topic_gets_the_same_message_and_each_channel_is_told_of_by_itself() {
    let (moto, webhook) = (Moto::start(), Webhook::start(0));
    let topic = moto
        .query("sns", &[("Action", "CreateTopic"), ("Name", "alerts")], "TopicArn")
        .await;
    let subscribe = [
        ("Action", "Subscribe"),
        ("TopicArn", topic.as_str()),
        ("Protocol", "http"),
        ("Endpoint", webhook.url.as_str()),
    ];
    moto.query("sns", &subscribe, "SubscriptionArn").await;
    let configuration = format!("[sns]\ntopic_arn = \"{topic}\"");
    let run = test(&moto, &configuration, &[]).ended(0);
    assert_eq!(run.lines()[0]["channel"], "sns");
    let told = webhook.messages();
    let notification = told
        .iter()
        .find(|message| message["Type"] == "Notification")
        .expect("a notification");
    let text = notification["Message"].as_str().expect("a text");
    assert!(text.contains("This channel works"), "{notification}");
    assert!(
        notification["Subject"]
            .as_str()
            .is_some_and(|subject| subject.contains("Test message")),
        "{notification}"
    );

    let broken = Webhook::start(1);
    let run = test(&moto, &configuration, &[("PORTCULLIS_SLACK_WEBHOOK", &broken.url)]).ended(1);
    let delivered: Vec<_> = run.lines().iter().map(|line| line["delivered"].clone()).collect();
    assert_eq!(delivered, [false, true], "{}", run.out);
    let gone = test(&moto, &configuration.replace("alerts", "gone"), &[]).ended(1);
    assert!(gone.out.contains("sns:Publish"), "{}", gone.out);
}
