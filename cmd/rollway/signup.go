package main

import (
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/app"
	"rollway/internal/id"
	"rollway/internal/signup"
)

// SignupCommand groups the commands on people who make their own account.
type SignupCommand struct {
	Token      SignupTokenCommand `cmd:"" help:"Public service tokens for dashboards that speak GLPI's dialect: they may do sign-up and nothing else."`
	List       SignupList         `cmd:"" help:"List sign-ups, oldest first."`
	Approve    SignupApprove      `cmd:"" help:"Let in who confirmed their address and waits for you (--signup-approval)."`
	Delete     SignupDelete       `cmd:"" help:"Remove a sign-up that is not confirmed."`
	Resend     SignupResend       `cmd:"" help:"Send the mail of a sign-up again."`
	Extend     SignupExtend       `cmd:"" help:"Make a trial longer, and open it again if it is over. Example: rollway signup extend 4 --by 30d"`
	Newsletter NewsletterCommand  `cmd:"" help:"Who asked for the newsletter."`
}

// SignupTokenCommand groups the commands on service tokens of the dialect.
type SignupTokenCommand struct {
	Create SignupTokenCreate `cmd:"" makes:"house" help:"Make a token; it is shown this once. Example: rollway signup token create --origin https://dashboard.example"`
	List   SignupTokenList   `cmd:"" help:"List tokens."`
	Rotate SignupTokenRotate `cmd:"" help:"Give a token a new secret; the old one works for a day longer."`
	Revoke SignupTokenRevoke `cmd:"" help:"End a token and its sessions at once."`
}

// SignupTokenCreate is `signup token create`.
type SignupTokenCreate struct {
	Name    string   `help:"What it is for, e.g. the name of the dashboard." default:"dashboard"`
	Origin  []string `help:"Web origin whose pages may use it; may be repeated. Default: any." placeholder:"ORIGIN"`
	Expires ageFlag  `help:"How long it lives, e.g. 90d or 12h. Default: until revoked." placeholder:"AGE"`
	Organization
	Output
}

type issuedToken struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

func (o Output) printToken(s *surroundings, i signup.Issued) error {
	return o.print(s, issuedToken{i.ID.String(), i.Secret}, []string{"id", "token"}, [][]string{{i.ID.String(), i.Secret}})
}

// Run makes the token.
func (c *SignupTokenCreate) Run(s *surroundings) error {
	r := signup.TokenRequest{Name: c.Name, Origins: c.Origin, Expires: time.Duration(c.Expires)}
	if err := r.Check(); err != nil { // before a house is made
		return usage(err)
	}
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		i, err := h.Signup.CreateToken(s, caller, r)
		if err != nil {
			return err
		}
		return c.printToken(s, i)
	})
}

// SignupTokenList is `signup token list`.
type SignupTokenList struct {
	Organization
	Output
}

type listedToken struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Origins    []string `json:"origins"`
	CreatedAt  string   `json:"createdAt"`
	ExpiresAt  *string  `json:"expiresAt"`
	RevokedAt  *string  `json:"revokedAt"`
	LastUsedAt *string  `json:"lastUsedAt"`
}

// Run lists the tokens.
func (c *SignupTokenList) Run(s *surroundings) error {
	return s.houseOf(c.Organization, func(h *app.House, caller access.Caller) error {
		tokens, err := h.Signup.Tokens(s, caller)
		if err != nil {
			return err
		}
		out, rows := []listedToken{}, [][]string{}
		for _, t := range tokens {
			out = append(out, listedToken{t.ID.String(), t.Name, list(t.Origins), when(t.Created), orNull(t.Expires), orNull(t.Revoked), orNull(t.LastUsed)})
			rows = append(rows, []string{t.ID.String(), t.Name, strings.Join(t.Origins, ","), when(t.Expires), when(t.Revoked), when(t.LastUsed)})
		}
		return c.print(s, out, []string{"id", "name", "origins", "expires", "revoked", "last used"}, rows)
	})
}

// TokenReference names a token of an organization.
type TokenReference struct {
	Token string `arg:"" help:"Its id, as rollway signup token list shows it, or its name if no other has the same." placeholder:"ID"`
	Organization
}

func (r TokenReference) token(s *surroundings, fn func(*app.House, access.Caller, id.TokenID) error) error {
	return s.houseOf(r.Organization, func(h *app.House, caller access.Caller) error {
		tokens, err := h.Signup.Tokens(s, caller)
		if err != nil {
			return err
		}
		all := make([]named[id.TokenID], len(tokens))
		for i, t := range tokens {
			all[i] = named[id.TokenID]{t.ID, t.Name, !t.Revoked.IsZero()}
		}
		found, err := which("token", r.Token, all)
		if err != nil {
			return err
		}
		return fn(h, caller, found)
	})
}

// SignupTokenRotate is `signup token rotate`.
type SignupTokenRotate struct {
	TokenReference
	Output
}

// Run makes a second secret.
func (c *SignupTokenRotate) Run(s *surroundings) error {
	return c.token(s, func(h *app.House, caller access.Caller, token id.TokenID) error {
		i, err := h.Signup.RotateToken(s, caller, token, access.Grace)
		if err != nil {
			return err
		}
		return c.printToken(s, i)
	})
}

// SignupTokenRevoke is `signup token revoke`.
type SignupTokenRevoke struct{ TokenReference }

// Run ends the token.
func (c *SignupTokenRevoke) Run(s *surroundings) error {
	return c.token(s, func(h *app.House, caller access.Caller, token id.TokenID) error {
		return h.Signup.RevokeToken(s, caller, token)
	})
}

// SignupList is `signup list`.
type SignupList struct {
	After int64 `help:"Only those with a greater number."`
	Limit int   `help:"How many." default:"100"`
	Output
}

type listedSignup struct {
	ID          int64   `json:"id"`
	Org         string  `json:"org"`
	Email       string  `json:"email"`
	Name        string  `json:"name"`
	State       string  `json:"state"`
	Via         string  `json:"via"`
	Newsletter  bool    `json:"newsletter"`
	Person      string  `json:"person"`
	CreatedAt   string  `json:"createdAt"`
	ExpiresAt   *string `json:"expiresAt"`
	ConfirmedAt *string `json:"confirmedAt"`
	TrialEndsAt *string `json:"trialEndsAt"`
}

// Run lists the sign-ups.
func (c *SignupList) Run(s *surroundings) error {
	if c.Limit < 1 || c.Limit > 1000 {
		return misuse("--limit is 1 to 1000.")
	}
	return s.house(func(h *app.House) error {
		found, err := h.Signup.List(s, operator, c.After, c.Limit)
		if err != nil {
			return err
		}
		out, rows, known := []listedSignup{}, [][]string{}, slugs{}
		for _, l := range found {
			org, err := known.of(s, h, l.Org)
			if err != nil {
				return err
			}
			out = append(out, listedSignup{l.Number, org, l.Address, l.Name, string(l.State), string(l.Via), l.Newsletter, l.Person.String(), when(l.Created), orNull(l.Expires), orNull(l.Confirmed), orNull(l.TrialEnds)})
			rows = append(rows, []string{strconv.FormatInt(l.Number, 10), org, l.Address, string(l.State), string(l.Via), when(l.Created), when(l.Confirmed), when(l.TrialEnds)})
		}
		return c.print(s, out, []string{"id", "org", "email", "state", "via", "created", "confirmed", "trial ends"}, rows)
	})
}

// SignupApprove is `signup approve`.
type SignupApprove struct {
	ID int64 `arg:""`
}

// Run lets the person in.
func (c *SignupApprove) Run(s *surroundings) error {
	return s.house(func(h *app.House) error { return h.Signup.Approve(s, operator, c.ID) })
}

// SignupDelete is `signup delete`.
type SignupDelete struct {
	ID int64 `arg:""`
}

// Run removes the sign-up.
func (c *SignupDelete) Run(s *surroundings) error {
	return s.house(func(h *app.House) error { return h.Signup.Delete(s, operator, c.ID) })
}

// SignupResend is `signup resend`.
type SignupResend struct {
	ID int64 `arg:""`
}

// Run sends the mail again.
func (c *SignupResend) Run(s *surroundings) error {
	return s.house(func(h *app.House) error { return h.Signup.ResendTo(s, operator, c.ID) })
}

// SignupExtend is `signup extend`.
type SignupExtend struct {
	ID int64   `arg:""`
	By ageFlag `required:"" help:"How much longer, e.g. 30d; from now if it is over." placeholder:"AGE"`
}

// Run moves the end of the trial.
func (c *SignupExtend) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		ends, err := h.Signup.Extend(s, operator, c.ID, time.Duration(c.By))
		return s.done(err, "The trial ends at %s.", when(ends))
	})
}

// NewsletterCommand groups the commands on the newsletter.
type NewsletterCommand struct {
	Export NewsletterExport `cmd:"" help:"Write who wants the newsletter, with consent and the link that ends it, as CSV or JSON."`
}

// NewsletterExport is `signup newsletter export`.
type NewsletterExport struct {
	Output string `short:"o" help:"How to print data: ${enum}." enum:"csv,json" default:"csv"`
}

type subscriber struct {
	Email       string `json:"email"`
	Lang        string `json:"lang"`
	AskedAt     string `json:"askedAt"`
	ConfirmedAt string `json:"confirmedAt"`
	Via         string `json:"via"`
	Wording     string `json:"wording"`
	Unsubscribe string `json:"unsubscribe"`
}

// Run writes the subscribers.
func (c *NewsletterExport) Run(s *surroundings) error {
	return s.house(func(h *app.House) error {
		out := []subscriber{}
		err := h.Signup.Subscribers(s, operator, func(b signup.Subscriber) error {
			out = append(out, subscriber{b.Address, b.Lang, b.Asked.UTC().Format(time.RFC3339), when(b.Confirmed), string(b.Via), b.Wording, b.Unsubscribe})
			return nil
		})
		if err != nil || c.Output == "json" {
			if err == nil {
				err = printJSON(s, out)
			}
			return err
		}
		w := csv.NewWriter(s.out)
		rows := [][]string{{"email", "lang", "asked_at", "confirmed_at", "via", "wording", "unsubscribe"}}
		for _, b := range out {
			rows = append(rows, []string{guarded(b.Email), b.Lang, b.AskedAt, b.ConfirmedAt, b.Via, b.Wording, b.Unsubscribe})
		}
		return w.WriteAll(rows)
	})
}

// guarded keeps a spreadsheet from taking a cell for a formula.
func guarded(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}
