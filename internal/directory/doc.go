// Package directory knows people: their agents, attributes, groups and state, and how they came to be known.
//
// There is one gate. Whatever a source says of a person arrives as [Claims] at [Directory.Provision], which looks for the
// person, decides, writes and keeps the reasons:
//
//   - Candidates are the owner of the submitted identifier, the owner of the submitted link, and the owners of any submitted
//     value of a unique attribute. Nobody: a person is created. One: the claims are merged into them, and an identifier that
//     is new is added as a further agent. Several: a conflict, and nothing is written.
//   - Reaching somebody by nothing but a unique attribute needs the scope people:match and a source that vouches for the
//     value, and never reaches a person who holds an admin right. Otherwise the value counts as taken: a conflict whose one
//     sentence does not tell which of the reasons it was.
//   - A caller with home pages may bring in new identifiers below those only.
//   - Pending people (who have not confirmed their sign-up) are found by nobody and hold no unique value. A suspended
//     person's fields change, their state does not.
//   - Attributes merge one by one: null removes, a blank says nothing. The name changes only when there is one. A value that
//     its source does not vouch for is kept as an ordinary value: nobody is recognized by it, and it does not displace a
//     value that was vouched for.
//   - The e-mail address in an mbox agent is an identifier and nothing more: it says nothing about the attribute Email.
//
// The same claims a second time change nothing and leave no trace (unless they have neither identifier nor link and their
// caller may not match: then the values they brought in are taken). Everything else does: each decision is kept with what
// came in, who was found by what, what was applied field by field, and what was answered. Refusals are kept too, once, with
// a count. [Directory.Why] tells them for a person, and for an identifier or address that nobody has.
//
// Names of attributes are compared exactly, except that upper and lower case and composed characters make no difference to
// a declared attribute, whose values are stored under the declared name. Unique values are compared after trimming and
// Unicode normalization (NFC), and without regard to case where the attribute's name contains "mail". Leading zeros stay.
//
// Changes that race are settled by unique indexes: identifiers, links and unique values belong to one person each, and a
// person's version rises by one with each decision. The loser runs again.
package directory
