package portal

import (
	"net/url"
	"strings"
	"testing"
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	f := framed("de", "check.title", nil, "")
	for address, want := range map[string]string{
		"ada@gmail.com": "https://mail.google.com/", "Ada@GoogleMail.com": "https://mail.google.com/", "ada@yahoo.co.uk": "https://mail.yahoo.com/",
		"ada@hotmail.fr": "https://outlook.live.com/mail/", "ada@gmx.at": "https://www.gmx.at/", "a@b@web.de": "https://web.de/",
		"ada@example.org": "", "ada@gmail.com.example.org": "", "ada@mail.yahoo.com": "", "ada@live": "", "ada": "", "": "",
	} {
		got := f.Mailbox(address)
		if (got == nil) != (want == "") || got != nil && got.Href != want {
			t.Errorf("%s: %+v, want %q", address, got, want)
		}
	}
	if got := f.Mailbox("ada@web.de").Name; got != "WEB.DE öffnen" {
		t.Error(got)
	}
	for domain, box := range mailboxes {
		if u, err := url.Parse(box.url); err != nil || u.Scheme != "https" || u.RawQuery != "" || domain != strings.ToLower(domain) {
			t.Errorf("%s: %+v", domain, box)
		}
	}
}
