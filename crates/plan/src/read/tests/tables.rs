//! Delta tables and databases as datasets.

use super::{SECRET, change, read_text};
use crate::project::{DatasetFormat, Relation, TableVersion};

const LOCATION: &str =
    "location: data/crm/*.csv\n    delimiter: \";\"\n    types: { points: integer }";

#[test]
fn problems_of_tables_and_databases() {
    let cases = [
        "location: crm\n    format: delta\n    version: 3\n    delimiter: x",
        "location: crm\n    format: delta\n    version: -1",
        "location: crm.parquet\n    version: 3\n    table: t\n    password: ${SECRET}",
        "location: crm\n    format: postgres\n    table: t",
        "location: postgres://u:${SECRET}@db/crm",
        "location: postgres://u@db/crm\n    table: t\n    query: SELECT 1",
        "location: postgres://u@db/crm\n    table: t\n    account: aws",
        "location: postgres://u:hunter2@db/crm\n    table: t",
        "location: postgres://u:${NONE:-hunter2}@db/crm\n    table: t",
        "location: postgres://u@db/crm?password=hunter2\n    table: t",
        "location: postgres://u@db/crm\n    table: t\n    password: hunter2",
    ];
    let shown: String = cases.iter().map(|to| format!("{to}\n{}", change(LOCATION, to))).collect();
    insta::assert_snapshot!(shown, @r"
    location: crm
        format: delta
        version: 3
        delimiter: x
    11:5 misplaced_key `delimiter` is for csv only <delimiter>
        Remove it.
    location: crm
        format: delta
        version: -1
    10:14 out_of_range expected 0 or more <-1>
    location: crm.parquet
        version: 3
        table: t
        password: ${SECRET}
    9:5 misplaced_key `version` is for delta only <version>
        Remove it.
    10:5 misplaced_key `table` is for postgres only <table>
        Remove it.
    11:5 misplaced_key `password` is for postgres only <password>
        Remove it.
    location: crm
        format: postgres
        table: t
    8:15 location_form this is not the address of a database <crm>
        Write `postgres://user@host/database`, and the password under `password:`.
    location: postgres://u:${SECRET}@db/crm
    6:3 missing_key a database needs a `table` or a `query` <crm>
        Add `table: customers`, or `query:` with a SELECT.
    location: postgres://u@db/crm
        table: t
        query: SELECT 1
    10:5 misplaced_key a dataset is either a `table` or a `query` <query>
        Remove one of them.
    location: postgres://u@db/crm
        table: t
        account: aws
    10:14 warning unused_account the account is not used <aws>
        A database is read with the user and the password of its address.
    location: postgres://u:hunter2@db/crm
        table: t
    8:5 secret_in_clear the address holds a password in the clear <location>
        Write `password: ${CRM_PASSWORD}` below it and set the variable; replace the password if the file was shared.
    location: postgres://u:${NONE:-hunter2}@db/crm
        table: t
    8:5 secret_in_clear the address holds a password in the clear <location>
        Write `password: ${CRM_PASSWORD}` below it and set the variable; replace the password if the file was shared.
    location: postgres://u@db/crm?password=hunter2
        table: t
    8:5 secret_in_clear the address holds a password in the clear <location>
        Write `password: ${CRM_PASSWORD}` below it and set the variable; replace the password if the file was shared.
    location: postgres://u@db/crm
        table: t
        password: hunter2
    10:5 secret_in_clear `password` is written in the clear <password>
        Write `password: ${CRM_PASSWORD}` and set the variable; replace the password if the file was shared.
    ");
}

#[test]
fn passwords_are_taken_out_of_addresses() {
    let dataset = |to: &str| {
        let reading = read_text(&super::FULL.replace(LOCATION, to));
        let project = reading.project.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
        let dataset = project.datasets.into_iter().next().expect("a dataset");
        assert!(!format!("{dataset:?}").contains(SECRET), "a secret is shown");
        dataset
    };
    for to in [
        "location: postgres://u:${SECRET}@db:5433/crm?sslmode=require\n    table: crm.people",
        "location: postgres://u@db:5433/crm?sslmode=require\n    table: crm.people\n    password: ${SECRET}",
    ] {
        let dataset = dataset(to);
        assert_eq!(dataset.location, "postgres://u@db:5433/crm");
        assert_eq!(dataset.format, DatasetFormat::Postgres);
        let database = dataset.database.expect("a database");
        assert_eq!(database.address, "u@db:5433/crm?sslmode=require");
        assert_eq!(database.relation, Relation::Table("crm.people".to_owned()));
        let password = database.password.expect("a password");
        assert_eq!(secrecy::ExposeSecret::expose_secret(&password), SECRET);
    }
    let query = dataset("location: postgresql://db/crm\n    query: |\n      SELECT 1 AS a;\n");
    let query = query.database.expect("a database");
    assert_eq!(query.relation, Relation::Query("SELECT 1 AS a".to_owned()));
    assert!(query.password.is_none());
    let table = dataset("location: crm\n    format: delta\n    version: 7");
    assert_eq!(table.format, DatasetFormat::Delta { version: TableVersion::Number(7) });
}
