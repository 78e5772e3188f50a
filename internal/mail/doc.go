// Package mail is messages that leave by way of the outbox: [Office.PutTx] writes one in the transaction that causes it, and
// [Office.Work] hands it to a mail server or writes it to a directory.
//
// A message waits sealed ([access.Key]), since it holds links and codes that open doors, and is worded when it is sent: in
// plain text and HTML, in the language of who gets it (the catalogues in words). Whatever happens between, each attempt sends
// the same link and code under the same Message-ID, so a mail that arrives twice can be recognized. What a server refuses for
// good is a dead letter at once; anything else is tried again, each time later, for about a day.
//
// Texts of others stand in no header and in a greeting only if they look like a name. Addresses are what [ParseAddress] takes.
package mail
