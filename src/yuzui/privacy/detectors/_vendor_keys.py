"""Keys that begin with the mark of their issuer: one row per prefix, with alphabet and least length of what follows.

Facts from the vendors' documentation of their own keys and from the list of formats that GitHub scans for,
https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns (2025-11).
What follows the prefix must also look random, so lengths are generous: a key that is longer next year is still found.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_DIGITS = "0123456789"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
ALPHABETS: Final = {
    "hex": frozenset(_DIGITS + "abcdefABCDEF"),
    "low": frozenset(_DIGITS + _LOWER),
    "upp": frozenset(_DIGITS + _UPPER),
    "num": frozenset(_DIGITS),
    "aln": frozenset(_DIGITS + _LOWER + _UPPER),
    "url": frozenset(_DIGITS + _LOWER + _UPPER + "_-"),
    "dot": frozenset(_DIGITS + _LOWER + _UPPER + "_-."),
    "b64": frozenset(_DIGITS + _LOWER + _UPPER + "+/=_-"),
}

_ROWS: Final = """
    # models
    sk- url 20 OpenAI, DeepSeek, DashScope, Moonshot and their imitators
    sk-proj- url 40 OpenAI project
    sk-svcacct- url 40 OpenAI service account
    sk-admin- url 40 OpenAI administration
    sk-ant-api03- url 40 Anthropic
    sk-ant-admin01- url 40 Anthropic administration
    sk-ant-oat01- url 40 Anthropic OAuth
    sk-ant-sid01- url 40 Anthropic session
    sk-or-v1- hex 40 OpenRouter
    sess- aln 32 OpenAI session
    AIza url 35 Google API
    ya29. dot 20 Google OAuth access
    1//0 url 30 Google OAuth refresh
    GOCSPX- url 20 Google OAuth client
    gsk_ aln 40 Groq
    xai- url 40 xAI
    pplx- aln 32 Perplexity
    r8_ aln 37 Replicate
    hf_ aln 30 Hugging Face
    api_org_ aln 30 Hugging Face organisation
    fw_ aln 20 Fireworks
    tgp_v1_ url 30 Together
    nvapi- url 40 NVIDIA
    csk- aln 40 Cerebras
    jina_ aln 40 Jina
    pa- url 40 Voyage
    sk_V2_ url 30 HeyGen
    lsv2_pt_ url 30 LangSmith
    lsv2_sk_ url 30 LangSmith service
    ls__ aln 30 LangSmith
    pcsk_ url 40 Pinecone
    tvly- url 20 Tavily
    fc- hex 30 Firecrawl
    apify_api_ aln 30 Apify
    e2b_ hex 30 E2B
    bb_live_ url 20 Browserbase
    pk-lf- url 30 Langfuse public
    sk-lf- url 30 Langfuse secret
    wandb_v1_ url 30 Weights & Biases
    yz- url 20 our own
    # clouds
    AKIA upp 16 AWS
    ASIA upp 16 AWS session
    ABIA upp 16 AWS bearer
    ACCA upp 16 AWS context
    AROA upp 17 AWS role
    AIDA upp 17 AWS user
    ABSK b64 90 AWS Bedrock
    LTAI aln 12 Alibaba Cloud
    AKID aln 32 Tencent Cloud
    AKLT url 30 Volcengine
    ALTAK- aln 16 Baidu
    bce-v3/ALTAK- b64 32 Baidu
    JDC_ upp 25 JD Cloud
    dapi hex 32 Databricks
    dkea hex 32 Databricks
    dose hex 32 Databricks
    dop_v1_ hex 60 DigitalOcean
    doo_v1_ hex 60 DigitalOcean OAuth
    dor_v1_ hex 60 DigitalOcean refresh
    DO00 upp 16 DigitalOcean Spaces
    ocid1. dot 40 Oracle Cloud
    SCW upp 17 Scaleway
    v1.0- hex 140 Cloudflare origin CA
    cfut_ url 30 Cloudflare
    cfat_ url 30 Cloudflare
    fo1_ url 40 Fly.io
    FlyV1 dot 40 Fly.io
    fm2_ b64 60 Fly.io
    nfp_ aln 36 Netlify
    vercel_blob_rw_ url 30 Vercel Blob
    vcp_ aln 24 Vercel
    HRKU- url 30 Heroku
    rnd_ aln 28 Render
    pscale_tkn_ url 30 PlanetScale
    pscale_oauth_ url 30 PlanetScale OAuth
    pscale_pw_ url 30 PlanetScale password
    napi_ low 30 Neon
    sbp_ hex 38 Supabase
    sb_secret_ url 20 Supabase
    tskey-api- url 20 Tailscale
    tskey-auth- url 20 Tailscale
    tskey-client- url 20 Tailscale
    tfp_ url 30 Teleport
    # code and packages
    ghp_ aln 36 GitHub personal
    gho_ aln 36 GitHub OAuth
    ghu_ aln 36 GitHub user
    ghs_ aln 36 GitHub server
    ghr_ aln 36 GitHub refresh
    github_pat_ url 22 GitHub fine-grained
    glpat- dot 20 GitLab personal
    gldt- url 20 GitLab deploy
    glrt- dot 20 GitLab runner
    glrtr- url 20 GitLab runner registration
    glcbt- url 20 GitLab CI
    glptt- hex 38 GitLab trigger
    glft- url 20 GitLab feed
    glimt- url 20 GitLab incoming mail
    glagent- url 40 GitLab agent
    gloas- hex 60 GitLab OAuth
    glsoat- url 20 GitLab SCIM
    glffct- url 20 GitLab feature flags
    GR1348941 url 20 GitLab runner registration
    ATBB aln 28 Bitbucket
    ATCTT3xFfG url 60 Bitbucket
    ATATT3xFfG b64 60 Atlassian
    ATSTT3xFfG b64 60 Atlassian
    npm_ aln 36 npm
    pypi- url 50 PyPI
    pypi-AgEIcHlwaS5vcmc url 50 PyPI
    rubygems_ hex 48 RubyGems
    oy2 low 43 NuGet
    cio aln 32 crates.io
    dckr_pat_ url 20 Docker
    dckr_oat_ url 20 Docker organisation
    sntrys_ b64 40 Sentry organisation
    sntryu_ hex 60 Sentry user
    sqp_ hex 40 SonarQube project
    squ_ hex 40 SonarQube user
    sqa_ hex 40 SonarQube
    CCIPRJ_ url 40 CircleCI
    CCIPAT_ url 40 CircleCI
    bkua_ hex 40 Buildkite
    bkct_ url 30 Buildkite
    sgp_ hex 40 Sourcegraph
    phx_ aln 40 PostHog personal
    phc_ aln 40 PostHog project
    figd_ url 38 Figma
    figo_ url 38 Figma OAuth
    lin_api_ aln 32 Linear
    lin_oauth_ hex 60 Linear OAuth
    ntn_ aln 40 Notion
    secret_ aln 40 Notion
    PMAK- url 50 Postman
    PMAT- upp 24 Postman access
    pul- hex 40 Pulumi
    atlasv1. dot 60 Terraform
    dp.pt. aln 40 Doppler personal
    dp.st. dot 40 Doppler service
    dp.ct. aln 40 Doppler CLI
    dp.sa. aln 40 Doppler
    dp.scim. aln 40 Doppler
    dp.audit. aln 40 Doppler
    hvs. url 24 Vault service
    hvb. url 24 Vault batch
    hvr. url 24 Vault recovery
    ops_eyJ b64 100 1Password service
    A3- url 26 1Password key
    sdk- url 36 LaunchDarkly
    api- url 36 LaunchDarkly
    mob- url 36 LaunchDarkly
    CFPAT- url 40 Contentful
    dt0c01. dot 80 Dynatrace
    dt0s01. dot 80 Dynatrace
    NRAK- upp 27 New Relic
    NRJS- hex 19 New Relic browser
    NRII- url 32 New Relic insert
    NRAL aln 36 New Relic
    ddp_ aln 30 Datadog
    glsa_ url 41 Grafana service
    glc_ b64 32 Grafana Cloud
    eyJrIjoi b64 40 Grafana
    hny_ aln 30 Honeycomb
    hcaik_ aln 50 Honeycomb
    xaat- url 36 Axiom
    xapt- url 36 Axiom
    logfire_ url 30 Logfire
    pylf_v1_ url 30 Logfire
    snyk_ url 30 Snyk
    tr_dev_ aln 20 Trigger
    tr_prod_ aln 20 Trigger
    signkey- url 30 Inngest
    CLOJARS_ hex 58 Clojars
    EZAK aln 54 EasyPost
    EZTK aln 54 EasyPost test
    duffel_live_ url 40 Duffel
    duffel_test_ url 40 Duffel
    FLWSECK url 30 Flutterwave
    FLWPUBK url 30 Flutterwave
    ion_ aln 40 Ionic
    rdme_ low 60 ReadMe
    shippo_live_ hex 38 Shippo
    shippo_test_ hex 38 Shippo
    pnu_ aln 34 Prefect
    key- hex 32 Mailgun
    pubkey- hex 32 Mailgun public
    re_ url 24 Resend
    SG. dot 50 SendGrid
    xkeysib- url 60 Brevo
    xsmtpsib- url 60 Brevo SMTP
    MC. url 30 Mailchimp transactional
    md- url 20 Mandrill
    mlsn. hex 60 MailerSend
    CFC. url 30 Customer.io
    # chat
    xoxa- url 20 Slack
    xoxb- url 20 Slack bot
    xoxe- url 20 Slack refresh
    xoxe.xoxp- url 40 Slack
    xoxe.xoxb- url 40 Slack
    xoxo- url 20 Slack
    xoxp- url 20 Slack user
    xoxr- url 20 Slack
    xoxs- url 20 Slack
    xoxc- url 20 Slack
    xoxd- b64 20 Slack
    xapp- url 20 Slack application
    hooks.slack.com/services/ b64 20 Slack webhook
    hooks.slack.com/workflows/ b64 20 Slack workflow
    hooks.slack.com/triggers/ b64 20 Slack trigger
    discord.com/api/webhooks/ b64 60 Discord webhook
    discordapp.com/api/webhooks/ b64 60 Discord webhook
    webhook.office.com/webhookb2/ dot 40 Teams webhook
    oapi.dingtalk.com/robot/send?access_token= hex 40 DingTalk robot
    open.feishu.cn/open-apis/bot/v2/hook/ url 30 Feishu robot
    open.larksuite.com/open-apis/bot/v2/hook/ url 30 Lark robot
    qyapi.weixin.qq.com/cgi-bin/webhook/send?key= url 30 WeCom robot
    SCT aln 30 ServerChan
    SK hex 32 Twilio
    AC hex 32 Twilio account
    EAA aln 80 Meta
    EAAG aln 60 Meta
    IGQV url 60 Instagram
    ATTA hex 60 Trello
    # money and shops
    sk_live_ aln 16 Stripe
    sk_test_ aln 16 Stripe
    rk_live_ aln 16 Stripe
    rk_test_ aln 16 Stripe
    pk_live_ aln 20 Stripe publishable
    whsec_ b64 24 Stripe and Svix webhooks
    skey_ aln 18 Omise
    skey_test_ aln 18 Omise
    rzp_live_ aln 14 Razorpay
    rzp_test_ aln 14 Razorpay
    live_ aln 30 Mollie
    access-production- hex 30 Plaid
    access-sandbox- hex 30 Plaid
    access_token$production$ low 40 PayPal Braintree
    access_token$sandbox$ low 40 PayPal Braintree
    sq0atp- url 22 Square
    sq0csp- url 40 Square
    EAAA url 58 Square
    AQE url 80 Adyen
    shpat_ hex 32 Shopify
    shpca_ hex 32 Shopify
    shppa_ hex 32 Shopify
    shpss_ hex 32 Shopify
    shpua_ hex 32 Shopify
    cs_ hex 40 WooCommerce
    ck_ hex 40 WooCommerce
    amzn.mws. url 30 Amazon MWS
    amzn1.oa2-cs.v1. hex 60 Login with Amazon
    Atza| url 40 Login with Amazon
    Atzr| url 40 Login with Amazon
    # maps and data
    pk.eyJ dot 60 Mapbox public
    sk.eyJ dot 60 Mapbox
    tk.eyJ dot 60 Mapbox temporary
    pat-na1- url 30 HubSpot
    pat-eu1- url 30 HubSpot
    patn aln 13 Airtable
    key aln 14 Airtable
    p8e- low 30 Adobe
    00D aln 12 Salesforce session
    tfp_ url 40 Typeform
    fio-u- url 60 Frame.io
    lob_live_ hex 35 Lob
    live_pub_ hex 30 Lob
    sl. url 120 Dropbox
    zpka_ low 30 Zuplo
    AGE-SECRET-KEY-PQ-1 upp 50 age, post-quantum
"""
_TOO_SHORT_WORDS = """
    key SK AC SCT 00D oy2 cio A3- live_ fw_ pa- fc- re_ md- cs_ ck_ key- api- mob- sdk- SCW DO00
"""
_TOO_SHORT = frozenset(_TOO_SHORT_WORDS.split())
"""Prefixes that ordinary text has too: what follows must have exactly the least length, or a length near it."""
_SLACK = 4


class VendorKey(NamedTuple):
    alphabet: frozenset[str]
    least: int
    most: int
    """Characters behind the prefix."""


def _read_rows() -> dict[str, VendorKey]:
    found: dict[str, VendorKey] = {}
    for line in _ROWS.splitlines():
        words = line.split()
        if len(words) < 3 or words[0] == "#" or words[1] not in ALPHABETS:
            continue
        prefix, alphabet, least = words[0], ALPHABETS[words[1]], int(words[2])
        found.setdefault(prefix, VendorKey(alphabet, least, least + _SLACK if prefix in _TOO_SHORT else 4096))
    return found


VENDOR_KEYS: Final = _read_rows()
"""Prefix → what follows it."""
