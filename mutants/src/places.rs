//! Where in a file something can be chosen at run time: its functions, operators, arms and fields, as bytes of the file.

use std::ops::Range;

use anyhow::{Context as _, Result};
use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// What a file has, each in the order in which it stands there.
#[derive(Debug, Default)]
pub struct Places {
    /// Functions with a body.
    pub functions: Vec<Function>,
    /// Expressions with an operator.
    pub operators: Vec<Operator>,
    /// Arms of matches.
    pub arms: Vec<Arm>,
    /// Fields of struct expressions that take the others from elsewhere.
    pub fields: Vec<Field>,
    /// What is computed while it is compiled.
    pub constants: Vec<Range<usize>>,
}

/// A function with a body.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The word `const`, if it has that.
    pub constness: Option<Range<usize>>,
    /// Its body, with the braces.
    pub body: Range<usize>,
}

/// An expression with an operator.
#[derive(Debug)]
pub struct Operator {
    /// The operator.
    pub operator: Range<usize>,
    /// The whole expression.
    pub whole: Range<usize>,
    /// It is a condition with `let`, which stands nowhere but after `if`, `while` and in other such conditions.
    pub has_let: bool,
}

/// An arm of a match.
#[derive(Debug)]
pub struct Arm {
    /// All of it.
    pub whole: Range<usize>,
    /// What it matches.
    pub pattern: Range<usize>,
    /// The expression after `if`.
    pub guard: Option<Range<usize>>,
}

/// A field of a struct expression.
#[derive(Debug)]
pub struct Field {
    /// The field, with the comma that follows it.
    pub field: Range<usize>,
    /// The struct expression.
    pub whole: Range<usize>,
}

impl Places {
    /// Of a file with this text.
    pub fn find(text: &str) -> Result<Self> {
        let file = syn::parse_file(text).context("parse")?;
        let mut places = Self::default();
        places.visit_file(&file);
        Ok(places)
    }

    /// Whether something is computed while it is compiled, other than in a function.
    pub fn is_constant(&self, range: &Range<usize>) -> bool {
        self.constants
            .iter()
            .any(|constant| encloses(constant, range))
    }

    /// The innermost function around something.
    pub fn function(&self, range: &Range<usize>) -> Option<&Function> {
        let around = self
            .functions
            .iter()
            .filter(|function| encloses(&function.body, range));
        around.min_by_key(|function| function.body.len())
    }

    fn add_function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.functions.push(Function {
            name: signature.ident.to_string(),
            constness: signature.constness.map(|word| word.span().byte_range()),
            body: block.span().byte_range(),
        });
    }

    fn add_operator(&mut self, operator: Span, whole: Span, has_let: bool) {
        self.operators.push(Operator {
            operator: operator.byte_range(),
            whole: whole.byte_range(),
            has_let,
        });
    }
}

/// Whether one stretch lies within another.
pub fn encloses(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Whether a condition has a `let` that is not in parentheses or a block of its own.
fn has_let(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Places {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add_function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add_function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.add_function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expr: &'ast syn::ExprBinary) {
        let has_let = has_let(&expr.left) || has_let(&expr.right);
        self.add_operator(expr.op.span(), expr.span(), has_let);
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast syn::ExprUnary) {
        self.add_operator(expr.op.span(), expr.span(), false);
        visit::visit_expr_unary(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.arms.push(Arm {
            whole: arm.span().byte_range(),
            pattern: arm.pat.span().byte_range(),
            guard: arm
                .guard
                .as_ref()
                .map(|(_, guard)| guard.span().byte_range()),
        });
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, expr: &'ast syn::ExprStruct) {
        if expr.rest.is_some() {
            for pair in expr.fields.pairs() {
                let field = pair.value().span().byte_range();
                let end = pair
                    .punct()
                    .map_or(field.end, |comma| comma.span().byte_range().end);
                self.fields.push(Field {
                    field: field.start..end,
                    whole: expr.span().byte_range(),
                });
            }
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constants.push(item.span().byte_range());
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constants.push(item.span().byte_range());
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.constants.push(item.span().byte_range());
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constants.push(item.span().byte_range());
    }

    fn visit_type_array(&mut self, array: &'ast syn::TypeArray) {
        self.constants.push(array.len.span().byte_range());
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.constants.push(repeat.len.span().byte_range());
        visit::visit_expr(self, &repeat.expr);
    }

    fn visit_expr_const(&mut self, block: &'ast syn::ExprConst) {
        self.constants.push(block.span().byte_range());
    }
}
