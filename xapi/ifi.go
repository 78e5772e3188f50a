package xapi

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// IFIKind tells which of the four inverse functional identifiers an IFI is.
type IFIKind uint8

// The four kinds; the zero value is no identifier.
const (
	Mbox        IFIKind = iota + 1 // an e-mail address as mailto IRI
	MboxSHA1Sum                    // the SHA-1 hash of such an IRI, in hexadecimal
	OpenID                         // an OpenID URI
	OnAccount                      // an account on some system
)

// IFI is an inverse functional identifier: what makes an Agent, or an
// identified Group, the one it is (Data 2.4.2.3). Two identifiers are the same
// exactly if they are equal by ==: the domain of an address and the digits of a
// hash are kept in lower case. The zero value is no identifier.
type IFI struct {
	Kind    IFIKind
	Value   string  // mailto IRI, hash or URI; "" for an account
	Account Account // for OnAccount
}

// Account is the pair that names an account (Data 2.4.2.4).
type Account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

// ParseMbox makes an identifier from a mailto IRI. The error is an [*Error].
func ParseMbox(mailto string) (IFI, error) {
	if !validMbox([]byte(mailto)) {
		return IFI{}, ruleMbox.broken(mailto)
	}
	return IFI{Kind: Mbox, Value: string(appendMbox(nil, []byte(mailto)))}, nil
}

// ParseMboxSHA1Sum makes an identifier from a hash of 40 hexadecimal digits.
// The error is an [*Error].
func ParseMboxSHA1Sum(digits string) (IFI, error) {
	if !validSHA1([]byte(digits)) {
		return IFI{}, ruleSHA1.broken(digits)
	}
	return IFI{Kind: MboxSHA1Sum, Value: strings.ToLower(digits)}, nil
}

// ParseOpenID makes an identifier from a URI. The error is an [*Error].
func ParseOpenID(uri string) (IFI, error) {
	if !validIRI([]byte(uri)) {
		return IFI{}, ruleIRI.broken(uri)
	}
	return IFI{Kind: OpenID, Value: uri}, nil
}

// ParseAccount makes an identifier from a home page and a name. The error is
// an [*Error].
func ParseAccount(homePage, name string) (IFI, error) {
	if !validIRI([]byte(homePage)) {
		return IFI{}, ruleIRI.broken(homePage)
	}
	if !validAccountName([]byte(name)) {
		return IFI{}, ruleAccountName.broken(name)
	}
	return IFI{Kind: OnAccount, Account: Account{HomePage: homePage, Name: name}}, nil
}

// IsZero tells whether there is no identifier.
func (i IFI) IsZero() bool { return i == IFI{} }

// Key is one text per identifier, for hashing and indexing: two identifiers
// have the same Key exactly if they are equal, and [Facts] holds the same keys.
// It is the name of the member, a colon and the value; for an account the home
// page, a blank (which no IRI contains) and the name.
func (i IFI) Key() string {
	switch i.Kind {
	case Mbox:
		return "mbox:" + i.Value
	case MboxSHA1Sum:
		return "mbox_sha1sum:" + i.Value
	case OpenID:
		return "openid:" + i.Value
	case OnAccount:
		return "account:" + i.Account.HomePage + " " + i.Account.Name
	}
	return ""
}

// ParseKey is the reverse of Key. The error is an [*Error].
func ParseKey(key string) (IFI, error) {
	name, value, _ := strings.Cut(key, ":")
	switch name {
	case "mbox":
		return ParseMbox(value)
	case "mbox_sha1sum":
		return ParseMboxSHA1Sum(value)
	case "openid":
		return ParseOpenID(value)
	case "account":
		homePage, name, _ := strings.Cut(value, " ")
		return ParseAccount(homePage, name)
	}
	return IFI{}, ruleNoIFI.broken(key)
}

// String is Key.
func (i IFI) String() string { return i.Key() }

// SHA1Sum is the identifier that a system uses which hides the address: for an
// mbox the mbox_sha1sum of it, for any other kind the identifier itself.
func (i IFI) SHA1Sum() IFI {
	if i.Kind != Mbox {
		return i
	}
	sum := sha1.Sum([]byte(i.Value))
	return IFI{Kind: MboxSHA1Sum, Value: hex.EncodeToString(sum[:])}
}

const mailto = "mailto:"

// validMbox checks for mailto: and an address without quotes, comments and
// header fields.
func validMbox(s []byte) bool {
	if !bytes.HasPrefix(s, []byte(mailto)) {
		return false
	}
	s = s[len(mailto):]
	at := bytes.IndexByte(s, '@')
	if at < 1 || at == len(s)-1 || !utf8.Valid(s) {
		return false
	}
	for _, c := range s[:at] {
		if !mailByte[c] {
			return false
		}
	}
	label := 0
	for _, c := range s[at+1:] {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case !isAlpha(c) && !isDigit(c) && c != '-' && c < 0x80:
			return false
		}
		label++
	}
	return label > 0
}

// mailByte tells which bytes may stand before the @ of an address.
var mailByte = func() (table [256]bool) {
	for i := range table {
		c := byte(i)
		table[i] = isAlpha(c) || isDigit(c) || c >= 0x80 || bytes.IndexByte([]byte(".!#$%&'*+-/=?^_`{|}~"), c) >= 0
	}
	return table
}()

// appendMbox appends a valid mailto IRI with its domain in lower case.
func appendMbox(dst, s []byte) []byte {
	at := bytes.IndexByte(s, '@')
	dst = append(dst, s[:at]...)
	return appendLower(dst, s[at:])
}

func appendLower(dst, s []byte) []byte {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

func validSHA1(s []byte) bool { return len(s) == 2*sha1.Size && isHex(s) }

func validAccountName(s []byte) bool {
	return len(s) > 0 && utf8.Valid(s) && bytes.IndexByte(s, 0) < 0
}
