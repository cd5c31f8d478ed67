//! What Flink says otherwise than DataFusion, changed in the syntax tree of a query before it is planned.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Select,
    SelectItem, SetExpr, TableFactor, VisitMut, VisitorMut,
};
use std::ops::ControlFlow;

/// Changes a query, and all in it:
///
/// - a field of a row, `SELECT bid.price`, is a column with the field's name;
/// - `MOD(a, b)` is `a % b`.
pub(super) fn as_flink_means(query: &mut Query) {
    let _: ControlFlow<()> = query.visit(&mut AsFlinkMeans);
}

/// The same for an expression.
pub(super) fn expression_as_flink_means(expr: &mut Expr) {
    let _: ControlFlow<()> = expr.visit(&mut AsFlinkMeans);
}

struct AsFlinkMeans;

impl VisitorMut for AsFlinkMeans {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        name_fields(&mut query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some((left, right)) = modulo(expr) {
            let modulo = Expr::BinaryOp {
                left: Box::new(Expr::Nested(Box::new(left))),
                op: BinaryOperator::Modulo,
                right: Box::new(Expr::Nested(Box::new(right))),
            };
            *expr = Expr::Nested(Box::new(modulo));
        }
        ControlFlow::Continue(())
    }
}

fn name_fields(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let relations = relations(select);
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) = item
                    && let Some(alias) = field_name(expr, &relations)
                {
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            name_fields(left);
            name_fields(right);
        }
        // Queries in parentheses are visited themselves.
        _ => {}
    }
}

/// What names in front of a dot may mean beside a row: the relations of the `FROM` clause.
fn relations(select: &Select) -> Vec<String> {
    let tables = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    tables.filter_map(relation_name).collect()
}

fn relation_name(table: &TableFactor) -> Option<String> {
    let (alias, name) = match table {
        TableFactor::Table { alias, name, .. } => (alias, name.0.last()?.as_ident().map(|name| &name.value)),
        TableFactor::Derived { alias, .. } | TableFactor::TableFunction { alias, .. } => (alias, None),
        _ => return None,
    };
    alias.as_ref().map(|alias| &alias.name.value).or(name).cloned()
}

/// The name of the field that `row.field` or `relation.row.field` picks.
fn field_name(expr: &Expr, relations: &[String]) -> Option<Ident> {
    let Expr::CompoundIdentifier(parts) = expr else { return None };
    let row = usize::from(relations.contains(&parts.first()?.value));
    // One part behind the relation is a column.
    (parts.len() > row + 1).then(|| parts.last().cloned())?
}

fn modulo(expr: &Expr) -> Option<(Expr, Expr)> {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else {
        return None;
    };
    let operand = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    match list.args.as_slice() {
        [left, right] if name.to_string().eq_ignore_ascii_case("MOD") => {
            Some((operand(left)?, operand(right)?))
        }
        _ => None,
    }
}
