package app

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"

	"rollway/internal/access"
	"rollway/internal/content/sample"
	"rollway/internal/credential"
	"rollway/internal/directory"
	"rollway/internal/launch"
)

// enrol makes an organization's people, each with a minted credential and a launch.
func (w *matrixWorld) enrol(org string) {
	zip, err := sample.Zip()
	w.must(err)
	_, err = w.house.Content.Add(w.Context(), w.admin(org), bytes.NewReader(zip), int64(len(zip)))
	w.must(err)
	for _, name := range []string{"ann", "bob", "sue", "rex", "old"} {
		agent := matrixAgent(name)
		agent.Name = mark{org, "name", name, "", ""}.String()
		_, err := w.house.Directory.Provision(w.Context(), w.admin(org), directory.Claims{Source: directory.ByAdmin, Agent: agent})
		w.must(err)
		w.learner(org, name)
	}
}

func (w *matrixWorld) learner(org, name string) {
	minted, err := w.house.Credentials.Mint(w.Context(), w.admin(org), credential.Request{Agent: matrixAgent(name)})
	w.must(err)
	header := basicOf(minted.Username, minted.Password)
	c, err := w.house.Credentials.Authenticate(w.Context(), header, false)
	w.must(err)
	started, err := w.house.Launcher.Start(w.Context(), c, launch.Request{Activity: sample.ActivityID})
	w.must(err)
	at, err := url.Parse(started.URL)
	w.must(err)
	reg := org + "-" + name
	w.regs[reg] = started.Registration
	w.bearers = append(w.bearers,
		bearerOf{name: org + " minted " + name, header: header, org: org, scopes: learnerScopes, agent: name},
		bearerOf{name: org + " launched " + name, header: at.Query().Get("auth"), org: org, scopes: learnerScopes, agent: name, reg: reg, launch: true})
	if name == "rex" {
		w.must(w.house.Credentials.Revoke(w.Context(), w.admin(org), minted.Username))
	}
}

// hire makes an organization's service accounts and a credential that acts for one of them.
func (w *matrixWorld) hire(org string) {
	sets := []string{"statements/write", "statements/read/mine", "statements/read", "state", "define", "profile", "all/read", "all", "people:read", "admin",
		"statements/write,statements/read/mine", "credentials:mint,credentials:unbound,all"}
	for _, set := range append(sets, "all revoked", "all expired") {
		list, fate, _ := strings.Cut(set, " ")
		scopes, err := access.ParseScope(list)
		w.must(err)
		r := access.Request{Name: set, Scopes: scopes}
		if fate == "expired" {
			r.Expires = time.Millisecond
		}
		a, err := w.house.Accounts.Create(w.Context(), w.admin(org), r)
		w.must(err)
		b := bearerOf{name: org + " account " + set, header: "Bearer " + a.Token, org: org, scopes: strings.Split(list, ","), bad: fate}
		w.bearers = append(w.bearers, b)
		if strings.Contains(set, "unbound") || fate == "revoked" {
			for _, of := range []string{"all/read", "statements/write,statements/read/mine"} {
				scopes, err := access.ParseScope(of)
				w.must(err)
				c := access.Caller{Org: w.orgs[org], Kind: access.ServiceAccount, Name: "x", ServiceAccount: a.ID, Scopes: access.CredentialsMint | access.CredentialsUnbound | access.All}
				minted, err := w.house.Credentials.Mint(w.Context(), c, credential.Request{Scopes: scopes})
				w.must(err)
				w.bearers = append(w.bearers, bearerOf{name: b.name + " unbound " + of, header: basicOf(minted.Username, minted.Password), org: org, scopes: strings.Split(of, ","), bad: fate})
			}
		}
		if fate == "revoked" {
			w.must(w.house.Accounts.Revoke(w.Context(), w.admin(org), a.ID))
		}
	}
}

// spoil ends credentials in every way there is, once everything they lead to has been made.
func (w *matrixWorld) spoil() {
	for _, org := range []string{"A", "B"} {
		p, err := w.house.Directory.PersonOfAgent(w.Context(), w.orgs[org], matrixAgent("sue").IFI)
		w.must(err)
		_, err = w.house.Directory.Suspend(w.Context(), w.admin(org), p.ID.String())
		w.must(err)
	}
	limits := w.house.Credentials.Limits
	w.house.Credentials.Limits.MinTTL = 0
	for _, org := range []string{"A", "B"} {
		minted, err := w.house.Credentials.Mint(w.Context(), w.admin(org), credential.Request{Agent: matrixAgent("old"), TTL: time.Millisecond})
		w.must(err)
		w.bearers = append(w.bearers, bearerOf{name: org + " minted expired", header: basicOf(minted.Username, minted.Password), org: org, bad: "expired", scopes: learnerScopes, agent: "old"})
	}
	w.house.Credentials.Limits = limits
	for i := range w.bearers {
		switch b := &w.bearers[i]; b.agent {
		case "sue":
			b.bad = "suspended"
		case "rex":
			b.bad = "revoked"
		}
	}
	w.bearers = append(w.bearers, bearerOf{name: "nobody", bad: "missing"}, bearerOf{name: "a stranger", header: basicOf("nobody-knows", "this-secret-here"), bad: "unknown"})
	time.Sleep(5 * time.Millisecond) // what expires has
}

// as returns a credential by its name.
func (w *matrixWorld) as(name string) bearerOf {
	i := slices.IndexFunc(w.bearers, func(b bearerOf) bool { return b.name == name })
	if i < 0 {
		w.Fatalf("there is no credential %q", name)
	}
	return w.bearers[i]
}
