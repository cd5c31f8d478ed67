//! The tables of the catalog: their columns, as clients know them from PostgreSQL.
//!
//! Most of them are empty here: there are no indexes, constraints, triggers or policies. Their columns are there all the
//! same, for clients name them.

use crate::types::Kind;

/// A table of the catalog.
pub(super) struct CatalogTable {
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    /// Names and types: `oid o, relname n`. The letters are those of [`kind`].
    columns: &'static str,
}

impl CatalogTable {
    /// Its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.columns.split(',').filter_map(|column| {
            let (name, letter) = column.trim().split_once(' ')?;
            Some((name, kind(letter)))
        })
    }
}

fn kind(letter: &str) -> Kind {
    match letter {
        "b" => Kind::Bool,
        "c" => Kind::Char,
        "f" => Kind::Float4,
        "i" => Kind::Int4,
        "I" => Kind::Int8,
        "n" => Kind::Name,
        "o" => Kind::Oid,
        "s" => Kind::Int2,
        "t[]" => Kind::TextArray,
        "i[]" => Kind::IntArray,
        _ => Kind::Text,
    }
}

const fn system(name: &'static str, columns: &'static str) -> CatalogTable {
    CatalogTable { schema: "pg_catalog", name, columns }
}

const fn standard(name: &'static str, columns: &'static str) -> CatalogTable {
    CatalogTable { schema: "information_schema", name, columns }
}

/// The table by its name; its schema may be left out where it is PostgreSQL's own.
pub(super) fn find(schema: Option<&str>, name: &str) -> Option<&'static CatalogTable> {
    let schema = schema.unwrap_or("pg_catalog");
    TABLES.iter().find(|table| table.schema == schema && table.name == name)
}

const TABLES: &[CatalogTable] = &[
    system("pg_namespace", "oid o, nspname n, nspowner o, nspacl t[]"),
    system(
        "pg_class",
        "oid o, relname n, relnamespace o, reltype o, reloftype o, relowner o, relam o, relfilenode o, reltablespace o, \
         relpages i, reltuples f, relallvisible i, reltoastrelid o, relhasindex b, relisshared b, relpersistence c, \
         relkind c, relnatts s, relchecks s, relhasrules b, relhastriggers b, relhassubclass b, relrowsecurity b, \
         relforcerowsecurity b, relispopulated b, relreplident c, relispartition b, relrewrite o, relfrozenxid o, \
         relminmxid o, relacl t[], reloptions t[], relpartbound t, relhasoids b",
    ),
    system(
        "pg_attribute",
        "attrelid o, attname n, atttypid o, attstattarget i, attlen s, attnum s, attndims i, attcacheoff i, atttypmod i, \
         attbyval b, attalign c, attstorage c, attcompression c, attnotnull b, atthasdef b, atthasmissing b, \
         attidentity c, attgenerated c, attisdropped b, attislocal b, attinhcount i, attcollation o, attacl t[], \
         attoptions t[], attfdwoptions t[], attmissingval t",
    ),
    system(
        "pg_type",
        "oid o, typname n, typnamespace o, typowner o, typlen s, typbyval b, typtype c, typcategory c, typispreferred b, \
         typisdefined b, typdelim c, typrelid o, typsubscript t, typelem o, typarray o, typinput t, typoutput t, \
         typreceive t, typsend t, typmodin t, typmodout t, typanalyze t, typalign c, typstorage c, typnotnull b, \
         typbasetype o, typtypmod i, typndims i, typcollation o, typdefaultbin t, typdefault t, typacl t[]",
    ),
    system(
        "pg_database",
        "oid o, datname n, datdba o, encoding i, datlocprovider c, datistemplate b, datallowconn b, datconnlimit i, \
         datfrozenxid o, datminmxid o, dattablespace o, datcollate t, datctype t, daticulocale t, datlocale t, \
         daticurules t, datcollversion t, datacl t[], datlastsysoid o",
    ),
    system(
        "pg_roles",
        "oid o, rolname n, rolsuper b, rolinherit b, rolcreaterole b, rolcreatedb b, rolcanlogin b, rolreplication b, \
         rolconnlimit i, rolpassword t, rolvaliduntil t, rolbypassrls b, rolconfig t[]",
    ),
    system(
        "pg_user",
        "usename n, usesysid o, usecreatedb b, usesuper b, userepl b, usebypassrls b, passwd t, valuntil t, useconfig t[]",
    ),
    system(
        "pg_tables",
        "schemaname n, tablename n, tableowner n, tablespace n, hasindexes b, hasrules b, hastriggers b, rowsecurity b",
    ),
    system("pg_views", "schemaname n, viewname n, viewowner n, definition t"),
    system(
        "pg_settings",
        "name t, setting t, unit t, category t, short_desc t, extra_desc t, context t, vartype t, source t, min_val t, \
         max_val t, enumvals t[], boot_val t, reset_val t, sourcefile t, sourceline i, pending_restart b",
    ),
    system("pg_am", "oid o, amname n, amhandler t, amtype c"),
    system(
        "pg_collation",
        "oid o, collname n, collnamespace o, collowner o, collprovider c, collisdeterministic b, collencoding i, \
         collcollate t, collctype t, colllocale t, colliculocale t, collversion t",
    ),
    system("pg_tablespace", "oid o, spcname n, spcowner o, spcacl t[], spcoptions t[]"),
    // From here on there is nothing in them.
    system("pg_description", "objoid o, classoid o, objsubid i, description t"),
    system("pg_shdescription", "objoid o, classoid o, description t"),
    system("pg_attrdef", "oid o, adrelid o, adnum s, adbin t"),
    system(
        "pg_index",
        "indexrelid o, indrelid o, indnatts s, indnkeyatts s, indisunique b, indnullsnotdistinct b, indisprimary b, \
         indisexclusion b, indimmediate b, indisclustered b, indisvalid b, indcheckxmin b, indisready b, indislive b, \
         indisreplident b, indkey i[], indcollation i[], indclass i[], indoption i[], indexprs t, indpred t",
    ),
    system("pg_indexes", "schemaname n, tablename n, indexname n, tablespace n, indexdef t"),
    system(
        "pg_constraint",
        "oid o, conname n, connamespace o, contype c, condeferrable b, condeferred b, convalidated b, conenforced b, \
         conrelid o, contypid o, conindid o, conparentid o, confrelid o, confupdtype c, confdeltype c, confmatchtype c, \
         conislocal b, coninhcount s, connoinherit b, conkey i[], confkey i[], conpfeqop i[], conppeqop i[], \
         conffeqop i[], confdelsetcols i[], conexclop i[], conbin t",
    ),
    system("pg_inherits", "inhrelid o, inhparent o, inhseqno i, inhdetachpending b"),
    system(
        "pg_proc",
        "oid o, proname n, pronamespace o, proowner o, prolang o, procost f, prorows f, provariadic o, prosupport t, \
         prokind c, prosecdef b, proleakproof b, proisstrict b, proretset b, provolatile c, proparallel c, pronargs s, \
         pronargdefaults s, prorettype o, proargtypes i[], proallargtypes i[], proargmodes t[], proargnames t[], \
         proargdefaults t, protrftypes i[], prosrc t, probin t, prosqlbody t, proconfig t[], proacl t[], proisagg b",
    ),
    system("pg_enum", "oid o, enumtypid o, enumsortorder f, enumlabel n"),
    system("pg_range", "rngtypid o, rngsubtype o, rngmultitypid o, rngcollation o, rngsubopc o"),
    system(
        "pg_policy",
        "oid o, polname n, polrelid o, polcmd c, polpermissive b, polroles i[], polqual t, polwithcheck t",
    ),
    system(
        "pg_policies",
        "schemaname n, tablename n, policyname n, permissive t, roles t[], cmd t, qual t, with_check t",
    ),
    system(
        "pg_statistic_ext",
        "oid o, stxrelid o, stxname n, stxnamespace o, stxowner o, stxstattarget i, stxkeys i[], stxkind t[], stxexprs t",
    ),
    system(
        "pg_publication",
        "oid o, pubname n, pubowner o, puballtables b, puballsequences b, pubinsert b, pubupdate b, pubdelete b, \
         pubtruncate b, pubviaroot b, pubgencols c",
    ),
    system("pg_publication_rel", "oid o, prpubid o, prrelid o, prqual t, prattrs i[]"),
    system("pg_publication_namespace", "oid o, pnpubid o, pnnspid o"),
    system(
        "pg_trigger",
        "oid o, tgrelid o, tgparentid o, tgname n, tgfoid o, tgtype s, tgenabled c, tgisinternal b, tgconstrrelid o, \
         tgconstrindid o, tgconstraint o, tgdeferrable b, tginitdeferred b, tgnargs s, tgattr i[], tgargs t, tgqual t, \
         tgoldtable n, tgnewtable n",
    ),
    system(
        "pg_rewrite",
        "oid o, rulename n, ev_class o, ev_type c, ev_enabled c, is_instead b, ev_qual t, ev_action t",
    ),
    system("pg_rules", "schemaname n, tablename n, rulename n, definition t"),
    system(
        "pg_extension",
        "oid o, extname n, extowner o, extnamespace o, extrelocatable b, extversion t, extconfig i[], extcondition t[]",
    ),
    system("pg_foreign_table", "ftrelid o, ftserver o, ftoptions t[]"),
    system(
        "pg_foreign_server",
        "oid o, srvname n, srvowner o, srvfdw o, srvtype t, srvversion t, srvacl t[], srvoptions t[]",
    ),
    system(
        "pg_foreign_data_wrapper",
        "oid o, fdwname n, fdwowner o, fdwhandler o, fdwvalidator o, fdwacl t[], fdwoptions t[]",
    ),
    system(
        "pg_sequence",
        "seqrelid o, seqtypid o, seqstart I, seqincrement I, seqmax I, seqmin I, seqcache I, seqcycle b",
    ),
    system(
        "pg_sequences",
        "schemaname n, sequencename n, sequenceowner n, data_type t, start_value I, min_value I, max_value I, \
         increment_by I, cycle b, cache_size I, last_value I",
    ),
    system(
        "pg_matviews",
        "schemaname n, matviewname n, matviewowner n, tablespace n, hasindexes b, ispopulated b, definition t",
    ),
    system(
        "pg_partitioned_table",
        "partrelid o, partstrat c, partnatts s, partdefid o, partattrs i[], partclass i[], partcollation i[], partexprs t",
    ),
    system("pg_depend", "classid o, objid o, objsubid i, refclassid o, refobjid o, refobjsubid i, deptype c"),
    system(
        "pg_auth_members",
        "oid o, roleid o, member o, grantor o, admin_option b, inherit_option b, set_option b",
    ),
    system("pg_db_role_setting", "setdatabase o, setrole o, setconfig t[]"),
    system("pg_language", "oid o, lanname n, lanowner o, lanispl b, lanpltrusted b"),
    system(
        "pg_operator",
        "oid o, oprname n, oprnamespace o, oprkind c, oprleft o, oprright o, oprresult o, oprcode t",
    ),
    system(
        "pg_opclass",
        "oid o, opcmethod o, opcname n, opcnamespace o, opcfamily o, opcintype o, opcdefault b",
    ),
    system("pg_cast", "oid o, castsource o, casttarget o, castfunc o, castcontext c, castmethod c"),
    system(
        "pg_event_trigger",
        "oid o, evtname n, evtevent n, evtowner o, evtfoid o, evtenabled c, evttags t[]",
    ),
    system("pg_aggregate", "aggfnoid o, aggkind c, aggnumdirectargs s"),
    system("pg_locks", "locktype t, database o, relation o, pid i, mode t, granted b"),
    system(
        "pg_stat_activity",
        "datid o, datname n, pid i, usesysid o, usename n, application_name t, client_addr t, client_port i, state t, \
         query t, backend_type t, wait_event_type t, wait_event t",
    ),
    system("pg_stat_user_tables", "relid o, schemaname n, relname n, seq_scan I, n_live_tup I, n_dead_tup I"),
    system("pg_stat_all_tables", "relid o, schemaname n, relname n, seq_scan I, n_live_tup I, n_dead_tup I"),
    system("pg_prepared_xacts", "transaction o, gid t, prepared t, owner n, database n"),
    system("pg_timezone_names", "name t, abbrev t, utc_offset t, is_dst b"),
    standard(
        "schemata",
        "catalog_name t, schema_name t, schema_owner t, default_character_set_catalog t, default_character_set_schema t, \
         default_character_set_name t, sql_path t",
    ),
    standard(
        "tables",
        "table_catalog t, table_schema t, table_name t, table_type t, self_referencing_column_name t, \
         reference_generation t, user_defined_type_catalog t, user_defined_type_schema t, user_defined_type_name t, \
         is_insertable_into t, is_typed t, commit_action t",
    ),
    standard(
        "columns",
        "table_catalog t, table_schema t, table_name t, column_name t, ordinal_position i, column_default t, \
         is_nullable t, data_type t, character_maximum_length i, character_octet_length i, numeric_precision i, \
         numeric_precision_radix i, numeric_scale i, datetime_precision i, interval_type t, character_set_name t, \
         collation_catalog t, collation_schema t, collation_name t, domain_catalog t, domain_schema t, domain_name t, \
         udt_catalog t, udt_schema t, udt_name t, is_identity t, identity_generation t, is_generated t, \
         generation_expression t, is_updatable t",
    ),
    standard(
        "views",
        "table_catalog t, table_schema t, table_name t, view_definition t, check_option t, is_updatable t, \
         is_insertable_into t",
    ),
    standard(
        "table_constraints",
        "constraint_catalog t, constraint_schema t, constraint_name t, table_catalog t, table_schema t, table_name t, \
         constraint_type t, is_deferrable t, initially_deferred t, enforced t",
    ),
    standard(
        "key_column_usage",
        "constraint_catalog t, constraint_schema t, constraint_name t, table_catalog t, table_schema t, table_name t, \
         column_name t, ordinal_position i, position_in_unique_constraint i",
    ),
    standard(
        "constraint_column_usage",
        "table_catalog t, table_schema t, table_name t, column_name t, constraint_catalog t, constraint_schema t, \
         constraint_name t",
    ),
    standard(
        "referential_constraints",
        "constraint_catalog t, constraint_schema t, constraint_name t, unique_constraint_catalog t, \
         unique_constraint_schema t, unique_constraint_name t, match_option t, update_rule t, delete_rule t",
    ),
    standard(
        "routines",
        "specific_catalog t, specific_schema t, specific_name t, routine_catalog t, routine_schema t, routine_name t, \
         routine_type t, data_type t, routine_definition t, external_language t",
    ),
    standard(
        "parameters",
        "specific_catalog t, specific_schema t, specific_name t, ordinal_position i, parameter_mode t, parameter_name t, \
         data_type t",
    ),
    standard("sequences", "sequence_catalog t, sequence_schema t, sequence_name t, data_type t"),
    standard(
        "triggers",
        "trigger_catalog t, trigger_schema t, trigger_name t, event_manipulation t, event_object_schema t, \
         event_object_table t, action_statement t, action_timing t",
    ),
];
