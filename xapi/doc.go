// Package xapi is the xAPI data model: it parses, validates, compares and
// formats statements and the values they are made of.
//
// It follows xAPI 1.0.3 (Part Two, "Experience API Data", cited as "Data
// 2.4.2.3" and the like) and the additions of xAPI 2.0 (IEEE 9274.1.1); which
// of the two holds is the [Version] given to each call. The package does no
// I/O and keeps no state.
//
// There are two ways in, over one set of rules:
//
//   - [Reader], [Read] and [ReadBatch] check the bytes of statements in one
//     pass, token by token, and report as [Facts] what a record store needs:
//     identifiers, keys to index, and where to splice in what the store adds.
//     [Facts.Serve] then writes the statement as it is to be kept and served.
//   - [ParseStatement], [ParseAgent], [ParseActor], [ParseActivity] and
//     friends return typed values, which marshal to JSON again.
//
// # Strictness
//
// JSON text must be UTF-8 without duplicate member names and without lone
// surrogates, at most [MaxDepth] levels deep. Names and enumerated values are
// compared exactly, unknown members are refused, and null is refused anywhere
// but inside extensions. The character U+0000 is refused in every string,
// although JSON allows it, because databases cannot keep it as text. Numbers
// are never rounded: they stay the text that was sent.
//
// Where the standard leaves a choice, this package is lenient towards content
// that exists: an interaction may carry component lists that its type does not
// use, empty maps and objects are accepted where nothing in them is required,
// timestamps may lack an offset (they then mean UTC), and any variant of UUID
// will do. It is strict where leniency would confuse people: an account needs
// a name that is not empty, and an anonymous group at least one member.
//
// Every refusal is an [*Error].
package xapi
