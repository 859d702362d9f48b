//! OpenSearch with its security plugin, put together from what Maven Central has: there is no archive of it there.
//!
//! A distribution is `lib/` (the server), `modules/NAME/` and `plugins/NAME/` (each with what `lib/` does not have),
//! `agent/` (what took the place of Java's security manager) and `config/`, which each start writes for itself.
//!
//! Not there: OpenSearch Dashboards, and the index-management plugin with its ISM policies.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::shell::{command, run};

/// Version of the server; the plugin's has one more part.
pub(crate) const VERSION: &str = "3.4.0";
const LOG4J: &str = "2.21.0";
const BYTE_BUDDY: &str = "1.17.7";
const COLLECTIONS: &str = "4.4";

/// A module: its folder, its artifact, and its class.
const MODULES: &[(&str, &str, &str)] = &[
    (
        "transport-netty4",
        "transport-netty4-client",
        "org.opensearch.transport.Netty4ModulePlugin",
    ),
    (
        "lang-painless",
        "lang-painless",
        "org.opensearch.painless.PainlessModulePlugin",
    ),
    (
        "mapper-extras",
        "mapper-extras-client",
        "org.opensearch.index.mapper.MapperExtrasModulePlugin",
    ),
    (
        "aggs-matrix-stats",
        "aggs-matrix-stats-client",
        "org.opensearch.search.aggregations.matrix.MatrixAggregationModulePlugin",
    ),
    (
        "ingest-common",
        "ingest-common",
        "org.opensearch.ingest.common.IngestCommonModulePlugin",
    ),
    ("geo", "geo", "org.opensearch.geo.GeoModulePlugin"),
    (
        "reindex",
        "reindex-client",
        "org.opensearch.index.reindex.ReindexModulePlugin",
    ),
];

/// The folder of the distribution below `cache`.
pub(crate) fn place(cache: &Path) -> PathBuf {
    cache.join(format!("opensearch-{VERSION}"))
}

/// Puts the distribution together, unless it is there. The folder gets its name when it is whole.
pub(crate) fn install(home: &Path) -> Result<()> {
    if home.exists() {
        return Ok(());
    }
    let beside = |end: &str| home.with_file_name(format!("opensearch-{VERSION}{end}"));
    let work = beside(".work");
    let part = beside(".part");
    for folder in [&work, &part] {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    download(&work)?;
    let server = jars(&work.join("lib/jars"))?;
    copy(&work.join("lib/jars"), &part.join("lib"), &BTreeSet::new())?;
    copy(&work.join("agent/jars"), &part.join("agent"), &BTreeSet::new())?;
    for &(name, artifact, class) in MODULES {
        let folder = part.join("modules").join(name);
        copy(&work.join(artifact).join("jars"), &folder, &server)?;
        write(&folder.join("plugin-descriptor.properties"), &descriptor(name, class))?;
    }
    security(&work, &part.join("plugins/opensearch-security"))?;
    fs::rename(&part, home).with_context(|| format!("cannot name {}", home.display()))?;
    fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))
}

fn descriptor(name: &str, class: &str) -> String {
    format!(
        "description={name}\nversion={VERSION}\nname={name}\nclassname={class}\njava.version=21\n\
         opensearch.version={VERSION}\nhas.native.controller=false\n"
    )
}

/// The security plugin as it is published; the plugins that it can extend are not there.
fn security(work: &Path, plugin: &Path) -> Result<()> {
    let artifact = format!("org.opensearch.plugin:opensearch-security:{VERSION}.0:zip");
    run(&mut command(
        "mvn",
        &[
            "-q",
            "-B",
            "-f",
            &work.join("lib/pom.xml").to_string_lossy(),
            "dependency:unpack",
            &format!("-Dartifact={artifact}"),
            &format!("-DoutputDirectory={}", plugin.display()),
        ],
    ))?;
    copy(&work.join("collections/jars"), plugin, &BTreeSet::new())?;
    let path = plugin.join("plugin-descriptor.properties");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let kept: String = text
        .lines()
        .filter(|line| !line.starts_with("extended.plugins"))
        .flat_map(|line| [line, "\n"])
        .collect();
    write(&path, &kept)
}

/// One Maven project with a part for each folder of jars, so that Maven starts once.
fn download(work: &Path) -> Result<()> {
    let server = |name: &str| ("org.opensearch", name.to_owned(), VERSION);
    let mut parts = vec![
        (
            "lib",
            vec![
                server("opensearch"),
                server("opensearch-cli"),
                server("opensearch-plugin-classloader"),
                ("org.apache.logging.log4j", "log4j-core".to_owned(), LOG4J),
            ],
        ),
        (
            "agent",
            vec![
                server("opensearch-agent"),
                server("opensearch-agent-bootstrap"),
                server("opensearch-agent-policy"),
                ("net.bytebuddy", "byte-buddy".to_owned(), BYTE_BUDDY),
            ],
        ),
        (
            "collections",
            vec![("org.apache.commons", "commons-collections4".to_owned(), COLLECTIONS)],
        ),
    ];
    for &(_, artifact, _) in MODULES {
        parts.push((artifact, vec![("org.opensearch.plugin", artifact.to_owned(), VERSION)]));
    }
    let modules: String = parts
        .iter()
        .map(|(name, _)| format!("<module>{name}</module>"))
        .collect();
    write(
        &work.join("pom.xml"),
        &project("all", &format!("<modules>{modules}</modules>")),
    )?;
    for (name, artifacts) in &parts {
        let wanted: String = artifacts
            .iter()
            .map(|(group, artifact, version)| {
                format!(
                    "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                     <version>{version}</version></dependency>"
                )
            })
            .collect();
        let text = project(name, &format!("<dependencies>{wanted}</dependencies>"));
        write(&work.join(name).join("pom.xml"), &text)?;
    }
    run(&mut command(
        "mvn",
        &[
            "-q",
            "-B",
            "-f",
            &work.join("pom.xml").to_string_lossy(),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            "-DoutputDirectory=jars",
        ],
    ))
}

fn project(name: &str, content: &str) -> String {
    format!(
        r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>portcullis</groupId><artifactId>tests-{name}</artifactId><version>1</version><packaging>pom</packaging>
  {content}
</project>
"#
    )
}

/// The artifacts of a folder of jars, without their versions: the server refuses the same class twice, whatever the version.
fn jars(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        names.insert(artifact(&entry?.file_name().to_string_lossy()).to_owned());
    }
    if names.is_empty() {
        bail!("Maven put nothing into {}", folder.display());
    }
    Ok(names)
}

/// `netty-common` of `netty-common-4.2.7.Final.jar`.
fn artifact(file: &str) -> &str {
    let version = file
        .match_indices('-')
        .find(|(at, _)| file[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    version.map_or(file, |(at, _)| &file[..at])
}

fn copy(from: &Path, to: &Path, without: &BTreeSet<String>) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if !without.contains(artifact(&name.to_string_lossy())) {
            fs::copy(entry.path(), to.join(&name))
                .with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
