//! Pickle, as far as a state dict goes: protocol 2, what `torch.save` writes of an `OrderedDict` of tensors.
//!
//! A tensor is a call of `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`, and its storage a
//! persistent id: the number of the file beside this one that holds its elements. Nothing else is called when it is read, so that
//! `torch.load(weights_only=True)` takes it.

/// Opcodes.
const PROTO_2: &[u8] = b"\x80\x02";
const STOP: u8 = b'.';
const MARK: u8 = b'(';
const EMPTY_TUPLE: u8 = b')';
const TUPLE: u8 = b't';
const REDUCE: u8 = b'R';
const SETITEMS: u8 = b'u';
const BINPERSID: u8 = b'Q';
const NEWFALSE: u8 = 0x89;
const BINUNICODE: u8 = b'X';
const BININT: u8 = b'J';
const LONG1: u8 = 0x8a;

/// The dictionary of tensors of these keys and extents, whose elements lie in the storages 0, 1, 2, ...
pub fn state_dict<'a>(tensors: impl IntoIterator<Item = (&'a str, &'a [usize])>) -> Vec<u8> {
    let mut pickle = Pickle(PROTO_2.to_vec());
    pickle.empty_dictionary();
    pickle.0.push(MARK);
    for (number, (key, dims)) in tensors.into_iter().enumerate() {
        pickle.text(key);
        pickle.tensor(number, dims);
    }
    pickle.0.extend([SETITEMS, STOP]);
    pickle.0
}

struct Pickle(Vec<u8>);

impl Pickle {
    fn tensor(&mut self, storage: usize, dims: &[usize]) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.tuple(|p| {
            p.tuple(|p| {
                p.text("storage");
                p.global("torch", "FloatStorage");
                p.text(&storage.to_string());
                p.text("cpu");
                p.number(dims.iter().product());
            });
            p.0.push(BINPERSID);
            p.number(0);
            p.tuple(|p| dims.iter().for_each(|&d| p.number(d)));
            p.tuple(|p| strides(dims).into_iter().for_each(|stride| p.number(stride)));
            p.0.push(NEWFALSE);
            p.empty_dictionary();
        });
        self.0.push(REDUCE);
    }

    fn empty_dictionary(&mut self) {
        self.global("collections", "OrderedDict");
        self.0.extend([EMPTY_TUPLE, REDUCE]);
    }

    fn tuple(&mut self, elements: impl FnOnce(&mut Self)) {
        self.0.push(MARK);
        elements(self);
        self.0.push(TUPLE);
    }

    fn global(&mut self, module: &str, name: &str) {
        self.0.extend(format!("c{module}\n{name}\n").bytes());
    }

    fn text(&mut self, text: &str) {
        self.0.push(BINUNICODE);
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.bytes());
    }

    fn number(&mut self, number: usize) {
        match i32::try_from(number) {
            Ok(number) => {
                self.0.push(BININT);
                self.0.extend(number.to_le_bytes());
            }
            Err(_) => {
                self.0.extend([LONG1, 9]);
                self.0.extend((number as u64).to_le_bytes());
                // Its sign.
                self.0.push(0);
            }
        }
    }
}

/// Elements from one index of an axis to the next, of a tensor in one piece.
fn strides(dims: &[usize]) -> Vec<usize> {
    (0..dims.len()).map(|axis| dims[axis + 1..].iter().product()).collect()
}
