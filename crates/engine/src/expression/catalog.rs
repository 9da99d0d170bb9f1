//! What the planner of expressions is told about the world: functions, and nothing else.
//!
//! There are no tables, no variables, no aggregates and no files, so that no expression can reach
//! one whatever the parser lets through.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion_common::config::ConfigOptions;
use datafusion_common::{DFSchema, Result, TableReference, plan_err};
use datafusion_expr::planner::{ContextProvider, ExprPlanner};
use datafusion_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, WindowUDF};
use datafusion_functions::core::planner::CoreFunctionPlanner;
use datafusion_functions::datetime::planner::DatetimeFunctionPlanner;
use datafusion_functions::unicode::planner::UnicodeFunctionPlanner;
use datafusion_functions_nested::planner::{FieldAccessPlanner, NestedFunctionPlanner};
use datafusion_sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use sqlparser::ast::ExprWithAlias;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::new);

/// The scalar functions by name and alias, and how operators become calls of them.
pub(super) struct Catalog {
    options: Arc<ConfigOptions>,
    functions: HashMap<String, Arc<ScalarUDF>>,
    higher_order: HashMap<String, Arc<HigherOrderUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
}

impl Catalog {
    fn new() -> Self {
        let mut options = ConfigOptions::new();
        options.sql_parser.enable_ident_normalization = false;
        // `now()` is an instant, and no time on some clock.
        options.execution.time_zone = Some("UTC".to_owned());
        let known = datafusion_functions::all_default_functions()
            .into_iter()
            .chain(datafusion_functions_nested::all_default_nested_functions())
            // Ours come last and replace those of the same name.
            .chain(super::scalar::all());
        let mut functions = HashMap::new();
        for function in known {
            let function = match function.inner().with_updated_config(&options) {
                Some(now) if now.name() == "now" => Arc::new(now),
                _ => super::scalar::instead_of(function),
            };
            for alias in function.aliases() {
                functions.insert(alias.clone(), Arc::clone(&function));
            }
            functions.insert(function.name().to_owned(), function);
        }
        let higher_order = datafusion_functions_nested::all_default_higher_order_functions();
        let higher_order =
            higher_order.into_iter().map(|function| (function.name().to_owned(), function));
        let higher_order = higher_order.collect();
        // The first planner that takes an operator wins.
        let planners: Vec<Arc<dyn ExprPlanner>> = vec![
            Arc::new(CoreFunctionPlanner::default()),
            Arc::new(NestedFunctionPlanner),
            Arc::new(FieldAccessPlanner),
            Arc::new(DatetimeFunctionPlanner),
            Arc::new(UnicodeFunctionPlanner),
        ];
        Self { options: Arc::new(options), functions, higher_order, planners }
    }

    /// The one catalog of the process.
    pub(super) fn get() -> &'static Self {
        &CATALOG
    }

    #[cfg(test)]
    pub(super) fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(name) || self.higher_order.contains_key(name)
    }

    /// The settings under which expressions are planned. Names keep their case.
    pub(super) fn shared_options(&self) -> Arc<ConfigOptions> {
        Arc::clone(&self.options)
    }

    /// From a syntax tree to a logical expression over the columns of `schema`.
    pub(super) fn plan(&self, tree: ExprWithAlias, schema: &DFSchema) -> Result<Expr> {
        let options = ParserOptions::from(&self.options.sql_parser);
        SqlToRel::new_with_options(self, options).sql_to_expr_with_alias(
            tree,
            schema,
            &mut PlannerContext::new(),
        )
    }
}

impl ContextProvider for Catalog {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        plan_err!("table '{name}' not found")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.functions.get(name).map(Arc::clone)
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.higher_order.get(name).map(Arc::clone)
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}
