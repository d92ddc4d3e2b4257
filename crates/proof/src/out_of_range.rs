//! Indices out of range, counted while kernels run: why the library's own kernels may be compiled without bounds checks.
//!
//! A pass over naga's IR adds to every index that is computed at run time, and to every constant one into an array whose length is
//! only known then: `if index >= length { atomicAdd(&out_of_range, 1) }`. That holds for loads, stores and atomics alike, in storage,
//! in workgroup memory and in an invocation's own arrays, vectors and matrices. A buffer is as long as its binding, which is the
//! tensor rounded up to 16 bytes. The access itself goes to a clamped index: a rewritten kernel has naga's bounds checks.

use gpu_core::{Array, Device, Place, REWRITE_SLOT, Result, Rewrite, Tensor};
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    AddressSpace, ArraySize, AtomicFunction, BinaryOperator, Block, Expression, Function, GlobalVariable, Handle, Literal, Module,
    ResourceBinding, Scalar, ScalarKind, Span, Statement, StorageAccess, Type, TypeInner, UniqueArena,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A GPU whose kernels count their indices that are out of range.
///
/// ```
/// # use gpu_core::{Tensor, ops};
/// # let Some(_) = proof::gpu() else { return Ok(()) };
/// let counting = proof::CountingGpu::open()?;
/// ops::relu(&Tensor::full(counting.device(), [5], 1.0));
/// assert_eq!(counting.take()?, 0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug)]
pub struct CountingGpu {
    device: Device,
    count: Tensor,
}

impl CountingGpu {
    /// A GPU as [`Device::gpu`] opens it.
    ///
    /// # Errors
    /// If there is none, or it cannot be opened.
    pub fn open() -> Result<Self> {
        let (place, word): (Place, Array) = Place::rewritten(Arc::new(CountOutOfRange))?;
        Ok(Self { count: Tensor::of_array(&place, &word), device: place.into() })
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// How many indices were out of range since the last call.
    ///
    /// # Errors
    /// The device's first fault.
    pub fn take(&self) -> Result<u32> {
        let count = self.count.read::<u32>()?[0];
        self.count.write(&[0u32]);
        Ok(count)
    }
}

/// An index that must be below a length. Both are literals, or read what is known once the access was evaluated.
struct Watched {
    index: Expression,
    length: Expression,
}

/// Adds the counter to a module, and a comparison to each index in it.
#[derive(Debug)]
struct CountOutOfRange;

impl Rewrite for CountOutOfRange {
    fn module(&self, module: &mut Module, info: &ModuleInfo) {
        let counter = add_counter(module);
        let Module { functions, entry_points, types, .. } = module;
        for (handle, function) in functions.iter_mut() {
            Watch::new(function, &info[handle], types, counter).instrument();
        }
        for (i, entry) in entry_points.iter_mut().enumerate() {
            Watch::new(&mut entry.function, info.get_entry_point(i), types, counter).instrument();
        }
    }
}

fn add_counter(module: &mut Module) -> Handle<GlobalVariable> {
    let atomic = Type { name: None, inner: TypeInner::Atomic(Scalar::U32) };
    let counter = GlobalVariable {
        name: Some("out_of_range".to_owned()),
        space: AddressSpace::Storage { access: StorageAccess::LOAD | StorageAccess::STORE },
        binding: Some(ResourceBinding { group: 0, binding: REWRITE_SLOT }),
        ty: module.types.insert(atomic, Span::UNDEFINED),
        init: None,
        memory_decorations: Default::default(),
    };
    module.global_variables.append(counter, Span::UNDEFINED)
}

/// One function while the comparisons are added to it.
struct Watch<'a> {
    function: &'a mut Function,
    /// By the expression that does the access.
    watched: HashMap<Handle<Expression>, Watched>,
    counter: Handle<GlobalVariable>,
}

impl<'a> Watch<'a> {
    fn new(function: &'a mut Function, info: &FunctionInfo, types: &UniqueArena<Type>, counter: Handle<GlobalVariable>) -> Self {
        let length = |base: Handle<Expression>| length(base, info[base].ty.inner_with(types), types);
        let watched = function.expressions.iter().filter_map(|(handle, expression)| {
            let (index, length) = match *expression {
                // A negative index becomes a large one.
                Expression::Access { base, index } => {
                    (Expression::As { expr: index, kind: ScalarKind::Uint, convert: Some(4) }, length(base)?)
                }
                // naga itself refuses a constant index that is past a known length.
                Expression::AccessIndex { base, index } => match length(base)? {
                    Expression::Literal(_) => return None,
                    length => (literal(index), length),
                },
                _ => return None,
            };
            Some((handle, Watched { index, length }))
        });
        Self { watched: watched.collect(), function, counter }
    }

    fn instrument(mut self) {
        let body = std::mem::take(&mut self.function.body);
        self.function.body = self.block(body);
    }

    /// The block with a comparison behind each evaluation of an access.
    fn block(&mut self, block: Block) -> Block {
        let mut out = Block::new();
        for (mut statement, span) in block.span_into_iter() {
            let mut evaluated = Vec::new();
            match &mut statement {
                Statement::Emit(range) => evaluated.extend(range.clone()),
                Statement::Block(inner) => *inner = self.block(std::mem::take(inner)),
                Statement::If { accept, reject, .. } => {
                    [accept, reject].into_iter().for_each(|inner| *inner = self.block(std::mem::take(inner)));
                }
                Statement::Switch { cases, .. } => {
                    cases.iter_mut().for_each(|case| case.body = self.block(std::mem::take(&mut case.body)));
                }
                Statement::Loop { body, continuing, .. } => {
                    [body, continuing].into_iter().for_each(|inner| *inner = self.block(std::mem::take(inner)));
                }
                _ => {}
            }
            out.push(statement, span);
            for handle in evaluated {
                if let Some(watched) = self.watched.remove(&handle) {
                    self.compare(watched).into_iter().for_each(|statement| out.push(statement, Span::UNDEFINED));
                }
            }
        }
        out
    }

    /// `if index >= length { atomicAdd(&out_of_range, 1) }`
    fn compare(&mut self, watched: Watched) -> [Statement; 2] {
        // Literals and variables first: they are not emitted, and a range that is has no gaps.
        let one = self.append(literal(1));
        let pointer = self.append(Expression::GlobalVariable(self.counter));
        let operands = [watched.index, watched.length].map(|operand| match operand {
            Expression::Literal(_) => Ok(self.append(operand)),
            computed => Err(computed),
        });
        let first = self.function.expressions.len();
        let [left, right] = operands.map(|operand| operand.unwrap_or_else(|computed| self.append(computed)));
        let condition = self.append(Expression::Binary { op: BinaryOperator::GreaterEqual, left, right });
        let emit = Statement::Emit(self.function.expressions.range_from(first));
        let add = Statement::Atomic { pointer, fun: AtomicFunction::Add, value: one, result: None };
        [emit, Statement::If { condition, accept: Block::from_vec(vec![add]), reject: Block::new() }]
    }

    fn append(&mut self, expression: Expression) -> Handle<Expression> {
        self.function.expressions.append(expression, Span::UNDEFINED)
    }
}

fn literal(n: u32) -> Expression {
    Expression::Literal(Literal::U32(n))
}

/// How many elements a value or a pointer has that is indexed; nothing for a struct, whose members naga checks.
fn length(base: Handle<Expression>, inner: &TypeInner, types: &UniqueArena<Type>) -> Option<Expression> {
    match *inner {
        TypeInner::Pointer { base: ty, .. } => length(base, &types[ty].inner, types),
        TypeInner::ValuePointer { size: Some(size), .. } | TypeInner::Vector { size, .. } => Some(literal(size as u32)),
        TypeInner::Matrix { columns, .. } => Some(literal(columns as u32)),
        TypeInner::Array { size: ArraySize::Constant(n), .. } => Some(literal(n.get())),
        TypeInner::Array { size: ArraySize::Dynamic, .. } => Some(Expression::ArrayLength(base)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
