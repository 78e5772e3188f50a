package signin

import (
	"context"
	"errors"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/mail"
)

// Login is a person's sign-in address.
type Login struct {
	Org     id.OrgID
	Person  id.PersonID
	Address string    // as mail is sent to it
	Changed time.Time // the password
}

// login is a login with all that decides about a sign-in; a zero one is nobody's.
type login struct {
	Login
	password string
	waiting  string // of a sign-up with the address, whoever has that
	place    string // where the device is, if the person has signed in there before
	name     string // of the person
	state    string // of the person
}

func (s *Signin) addressHash(folded string) []byte { return s.key.Hash("login", folded) }

const loginColumns = "l.org_id, l.person_id, l.address, l.changed, l.password, p.name, p.state"

func (l *login) targets() []any {
	return []any{&l.Org, &l.Person, &l.Address, &l.Changed, &l.password, &l.name, &l.state}
}

// readLogin returns the login with an address, or a zero one.
func (s *Signin) readLogin(ctx context.Context, tx *db.Tx, folded string) (l login, err error) {
	err = tx.Row(ctx, `SELECT `+loginColumns+` FROM login_addresses a JOIN logins l ON l.org_id = a.org_id AND l.person_id = a.person_id
 JOIN people p ON p.org_id = l.org_id AND p.id = l.person_id WHERE a.address_hash = ?`, s.addressHash(folded)).Scan(l.targets()...)
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return l, err
}

// readLoginOf returns the login of a person. Fault: NotFound (login_unknown).
func readLoginOf(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID) (l login, err error) {
	err = tx.Row(ctx, `SELECT `+loginColumns+` FROM logins l JOIN people p ON p.org_id = l.org_id AND p.id = l.person_id WHERE l.org_id = ? AND l.person_id = ?`, org, person).Scan(l.targets()...)
	if errors.Is(err, db.ErrNoRows) {
		err = loginUnknown
	}
	return l, err
}

var loginUnknown = fault.New(fault.NotFound, "login_unknown", "This person has no password here.")

// FindTx returns the login with an address, and false when there is none.
func (s *Signin) FindTx(ctx context.Context, tx *db.Tx, address string) (Login, bool, error) {
	folded, err := mail.Fold(address)
	if err != nil {
		return Login{}, false, err
	}
	l, err := s.readLogin(ctx, tx, folded)
	return l.Login, !l.Person.IsZero(), err
}

// OfTx returns the login of a person. Fault: NotFound (login_unknown).
func (s *Signin) OfTx(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID) (Login, error) {
	l, err := readLoginOf(ctx, tx, org, person)
	return l.Login, err
}

// EnrolTx gives a person a login: an address that nobody in the installation has, and a password as [Passwords.Hash] returns
// it. Whoever is not active yet cannot use it. The caller checks the password and writes the audit entry.
//
// Faults: Conflict (address_taken, login_exists), Invalid (bad_address).
func (s *Signin) EnrolTx(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, address, phc string) error {
	if _, err := parseStored(phc); err != nil {
		return err
	}
	address, err := mail.ParseAddress(address)
	if err != nil {
		return err
	}
	if err := s.claim(ctx, tx, org, person, address); err != nil {
		return err
	}
	var n int
	if err := tx.Row(ctx, "SELECT count(*) FROM logins WHERE org_id = ? AND person_id = ?", org, person).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.Conflict, "login_exists", "This person signs in with another address already.")
	}
	now := s.now()
	return tx.Defer(ctx, "INSERT INTO logins (org_id, person_id, address, password, changed, created) VALUES (?, ?, ?, ?, ?, ?)", org, person, address, phc, now, now)
}

// claim makes an address a person's, unless somebody has it.
func (s *Signin) claim(ctx context.Context, tx *db.Tx, org id.OrgID, person id.PersonID, address string) error {
	folded, err := mail.Fold(address)
	if err != nil {
		return err
	}
	hash := s.addressHash(folded)
	n, err := tx.Exec(ctx, "INSERT INTO login_addresses (address_hash, org_id, person_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", hash, org, person)
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "address_taken", "Somebody signs in with this address already.")
	}
	return err
}

// setPassword replaces the password of a login by another, as [Passwords.Hash] returns it, and ends everything that would let
// somebody in without it: links to a new one, and all sessions but the one that is kept. Unless present is empty, the password
// is still stored as that. Fault: Unauthenticated (bad_login) when it is not.
func (s *Signin) setPassword(ctx context.Context, tx *db.Tx, l login, phc, present string, keep id.SigninID) error {
	query, args := "UPDATE logins SET password = ?, changed = ? WHERE org_id = ? AND person_id = ?", []any{phc, s.now(), l.Org, l.Person}
	if present != "" {
		query, args = query+" AND password = ?", append(args, present)
	}
	n, err := tx.Exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = errBad
	}
	if err != nil {
		return err
	}
	if err := tx.Defer(ctx, "DELETE FROM signin_resets WHERE org_id = ? AND person_id = ?", l.Org, l.Person); err != nil {
		return err
	}
	if keep.IsZero() {
		_, err = s.endTx(ctx, tx, l.Org, "person_id = ?", l.Person)
	} else {
		_, err = s.endTx(ctx, tx, l.Org, "person_id = ? AND id <> ?", l.Person, keep)
	}
	return err
}

// Account returns the login of the caller, a person. Faults: Unauthenticated (session_missing), NotFound (login_unknown) of
// somebody whom only other systems bring.
func (s *Signin) Account(ctx context.Context, c access.Caller) (Login, error) {
	l, err := s.accountOf(ctx, c)
	return l.Login, err
}

func (s *Signin) accountOf(ctx context.Context, c access.Caller) (l login, err error) {
	if c.Kind != access.Person || c.Person.IsZero() {
		return login{}, errMissing
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		l, err = readLoginOf(ctx, tx, c.Org, c.Person)
		return err
	})
	return l, err
}

// ChangePassword replaces the password of the caller, a person, who tells the present one. All their other sessions end, and
// they are told by mail.
//
// Faults: Unauthenticated (session_missing; bad_login for a wrong present password, which counts as at [Signin.SignIn]), TooMany,
// Unavailable, NotFound (login_unknown), those of [Policy.Check], Invalid (password_same) for the present one.
func (s *Signin) ChangePassword(ctx context.Context, c access.Caller, present, password string, from Device) error {
	l, err := s.accountOf(ctx, c)
	if err != nil {
		return err
	}
	if err := s.Policy.Check(password, l.Address, l.name, s.Site); err != nil {
		return err
	}
	folded, err := mail.Fold(l.Address)
	if err != nil {
		return err
	}
	l.place = "a session" // which nobody else's guesses close; one for all, since a launch begins as many as somebody likes
	if _, err := s.check(ctx, l, folded, present, from); err != nil {
		return err
	}
	if same(present, password) {
		return fault.New(fault.Invalid, "password_same", "This is the present password. Choose another one.").With(about("It is the present one."))
	}
	phc, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := s.setPassword(ctx, tx, l, phc, l.password, c.Signin); err != nil {
			return err
		}
		if err := access.Audit(ctx, tx, c, "password.change", "person "+c.Person.String(), nil); err != nil {
			return err
		}
		return s.tellChanged(ctx, tx, l, from)
	})
}
