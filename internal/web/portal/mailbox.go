package portal

import "strings"

// mailbox is where people read the mail of a provider. On phones the addresses open its app, where there is one.
type mailbox struct{ name, url string }

// mailboxes are those of well-known providers by the domains of their addresses, or by how these begin, with a dot at the
// end. Where other addresses have theirs nobody can guess, and an address of mailto: would only begin a new message.
var mailboxes = func() map[string]mailbox {
	all := map[string]mailbox{}
	for box, domains := range map[mailbox]string{
		{"Gmail", "https://mail.google.com/"}:         "gmail.com googlemail.com",
		{"Outlook", "https://outlook.live.com/mail/"}: "outlook. hotmail. live. msn.com",
		{"Yahoo", "https://mail.yahoo.com/"}:          "yahoo. ymail.com rocketmail.com",
		{"iCloud", "https://www.icloud.com/mail/"}:    "icloud.com me.com mac.com",
		{"AOL", "https://mail.aol.com/"}:              "aol.com",
		{"Proton Mail", "https://mail.proton.me/"}:    "proton.me protonmail.com pm.me",
		{"Fastmail", "https://app.fastmail.com/"}:     "fastmail.com fastmail.fm",
		{"GMX", "https://www.gmx.net/"}:               "gmx.net gmx.de",
		{"GMX", "https://www.gmx.at/"}:                "gmx.at",
		{"GMX", "https://www.gmx.ch/"}:                "gmx.ch",
		{"GMX", "https://www.gmx.com/"}:               "gmx.com gmx.us gmx.co.uk",
		{"GMX", "https://www.gmx.fr/"}:                "gmx.fr",
		{"GMX", "https://www.gmx.es/"}:                "gmx.es",
		{"WEB.DE", "https://web.de/"}:                 "web.de",
		{"T-Online", "https://email.t-online.de/"}:    "t-online.de magenta.de",
		{"freenet", "https://webmail.freenet.de/"}:    "freenet.de",
		{"Posteo", "https://posteo.de/"}:              "posteo.de posteo.net",
		{"mailbox.org", "https://login.mailbox.org/"}: "mailbox.org",
		{"Orange", "https://messagerie.orange.fr/"}:   "orange.fr wanadoo.fr",
		{"La Poste", "https://www.laposte.net/"}:      "laposte.net",
		{"Free", "https://webmail.free.fr/"}:          "free.fr",
		{"SFR", "https://webmail.sfr.fr/"}:            "sfr.fr neuf.fr",
	} {
		for domain := range strings.FieldsSeq(domains) {
			all[domain] = box
		}
	}
	return all
}()

// Mailbox is a link to where an address has its mail, or nil where that is not known.
func (f *frame) Mailbox(address string) *choice {
	domain := strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
	box, known := mailboxes[domain]
	if first, _, dotted := strings.Cut(domain, "."); !known && dotted {
		box, known = mailboxes[first+"."]
	}
	if !known {
		return nil
	}
	return &choice{Name: f.say("check.open", "name", box.name), Href: box.url}
}
