//! Error tables of documents.

/// Defines the enum `Code` of a document's error table: `code_table! { i32; NoData = -105, "Data does not exist"; … }`.
/// The first word is the type of the numbers. `Code` has `ALL` in the order of the table, `number()` and `text()`.
#[macro_export]
macro_rules! code_table {
    ($number:ident; $($name:ident = $value:literal, $text:literal;)*) => {
        /// A code of the document's error table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr($number)]
        pub enum Code {
            $(#[doc = $text] $name = $value,)*
        }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            pub fn number(self) -> $number {
                self as $number
            }

            /// The English text of the table.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}
