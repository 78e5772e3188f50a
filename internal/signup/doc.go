// Package signup is how people make their own account: service tokens for dashboards that speak GLPI's dialect, sign-up
// behind a challenge, confirmation by mail, the newsletter's consent, the trial and its end.
//
// A sign-up makes a pending person, whom nothing matches and who may do nothing, and their organization with its default
// group, all in the transaction that uses up the challenge and puts the mail into the outbox. Confirming makes the person
// active and gives them their login; whatever else waited for the same address is discarded then. The mail proves the
// address and nothing else, so that our page asks for the password as well where it is not opened in the browser that signed
// up ([Proof]), and nobody finds a stranger's password on their account. The answer is the same, in status, content and
// time, whether an address is known or not ([Settings].Reveal); its owner learns it by mail.
package signup
