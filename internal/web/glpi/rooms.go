package glpi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"rollway/internal/access"
	"rollway/internal/directory"
	"rollway/internal/id"
)

// Door answers the dialect. All fields are required.
type Door struct {
	Config    Config
	Public    string // what addresses in answers are built from
	Directory *directory.Directory

	// Sessions of service tokens.
	OpenService  func(ctx context.Context, secret, origin string) (session string, err error)
	Service      func(ctx context.Context, session string) (Service, error)
	CloseService func(ctx context.Context, session string) error

	// Sessions of people.
	SignIn      func(ctx context.Context, login, password string, r *http.Request) (session string, err error)
	Person      func(ctx context.Context, session string) (access.Caller, error)
	SignOut     func(ctx context.Context, session string) error
	AskReset    func(ctx context.Context, email string, r *http.Request) error
	Reset       func(ctx context.Context, email, token, password string, r *http.Request) error
	MinPassword func() int

	// Challenges.
	IssueChallenge func(ctx context.Context, s Service, from netip.Addr) (number int64, err error)
	Challenge      func(ctx context.Context, number int64, from netip.Addr, anywhere bool) (created time.Time, err error)
	Picture        func(ctx context.Context, number int64, from netip.Addr, anywhere bool) ([]byte, error)

	// Sign-up.
	SignupOn func() bool
	Begin    func(ctx context.Context, s Signup) (number int64, err error)
	Validate func(ctx context.Context, s Service, from netip.Addr, number int64, token string) error
}

// Service is an open session of a service token.
type Service struct {
	Org   id.OrgID
	Token string // its id
	Name  string
}
