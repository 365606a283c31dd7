SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.accounts (
    id integer NOT NULL,
    name character varying(60) NOT NULL,
    role character varying(10) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    disabled_at timestamp without time zone,
    quota_bytes bigint
);
CREATE SEQUENCE public.accounts_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.audit (
    id integer NOT NULL,
    at timestamp without time zone NOT NULL,
    account character varying(60) NOT NULL,
    action character varying(60) NOT NULL,
    subject character varying(120) NOT NULL,
    detail json NOT NULL,
    request_id character varying(64) NOT NULL,
    address character varying(64) NOT NULL
);
CREATE SEQUENCE public.audit_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_id_seq OWNED BY public.audit.id;
CREATE TABLE public.collection_entries (
    collection_id integer NOT NULL,
    entry_id integer NOT NULL
);
CREATE TABLE public.collections (
    id integer NOT NULL,
    owner_id integer NOT NULL,
    name character varying(120) NOT NULL,
    about text NOT NULL,
    created_at timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.collections_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.collections_id_seq OWNED BY public.collections.id;
CREATE TABLE public.entries (
    id integer NOT NULL,
    name character varying(120) NOT NULL,
    name_key character varying(400) NOT NULL,
    gear character varying(20),
    make character varying(120) NOT NULL,
    model character varying(120) NOT NULL,
    maker character varying(120) NOT NULL,
    about text NOT NULL,
    licence character varying(40) NOT NULL,
    owner_id integer NOT NULL,
    preset character varying(120),
    esr double precision,
    newest integer NOT NULL,
    created_at timestamp without time zone NOT NULL,
    updated_at timestamp without time zone NOT NULL
);
CREATE SEQUENCE public.entries_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.entries_id_seq OWNED BY public.entries.id;
CREATE TABLE public.entry_tags (
    entry_id integer NOT NULL,
    tag character varying(40) NOT NULL
);
CREATE TABLE public.entry_words (
    entry_id integer NOT NULL,
    words tsvector NOT NULL
);
CREATE TABLE public.favourites (
    account_id integer NOT NULL,
    entry_id integer NOT NULL
);
CREATE TABLE public.invitations (
    id integer NOT NULL,
    account_id integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    expires_at timestamp without time zone NOT NULL,
    used_at timestamp without time zone
);
CREATE SEQUENCE public.invitations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.invitations_id_seq OWNED BY public.invitations.id;
CREATE TABLE public.jobs (
    id character varying(16) NOT NULL,
    owner_id integer NOT NULL,
    kind character varying(10) NOT NULL,
    state character varying(10) NOT NULL,
    title character varying(120) NOT NULL,
    priority character varying(10) NOT NULL,
    resource character varying(10) NOT NULL,
    "order" json NOT NULL,
    material_sha256 character varying(64),
    material_bytes bigint NOT NULL,
    result_sha256 character varying(64),
    result_bytes bigint NOT NULL,
    result_name character varying(120) NOT NULL,
    entry_id integer,
    progress json,
    findings json NOT NULL,
    error text,
    run integer NOT NULL,
    claim character varying(32),
    crashes integer NOT NULL,
    revision integer NOT NULL,
    request_id character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    started_at timestamp without time zone,
    ended_at timestamp without time zone,
    checkpoint_sha256 character varying(64),
    checkpoint_bytes bigint
);
CREATE TABLE public.sound_changes (
    id integer NOT NULL,
    number bigint NOT NULL
);
CREATE SEQUENCE public.sound_changes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sound_changes_id_seq OWNED BY public.sound_changes.id;
CREATE TABLE public.sounds (
    version_id integer NOT NULL,
    change bigint NOT NULL,
    kind integer NOT NULL,
    settings json NOT NULL,
    descriptors bytea NOT NULL,
    problem character varying(400) NOT NULL
);
CREATE TABLE public.tag_labels (
    account_id integer NOT NULL,
    entry_id integer NOT NULL,
    tag character varying(40) NOT NULL,
    is_right boolean NOT NULL,
    at timestamp without time zone NOT NULL
);
CREATE TABLE public.tokens (
    id integer NOT NULL,
    account_id integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    created_at timestamp without time zone NOT NULL,
    name character varying(120) NOT NULL,
    scopes character varying(40) NOT NULL,
    expires_at timestamp without time zone,
    revoked_at timestamp without time zone,
    last_used_at timestamp without time zone
);
CREATE SEQUENCE public.tokens_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.tokens_id_seq OWNED BY public.tokens.id;
CREATE TABLE public.versions (
    id integer NOT NULL,
    entry_id integer NOT NULL,
    number integer NOT NULL,
    sha256 character varying(64) NOT NULL,
    bytes bigint NOT NULL,
    uploader_id integer NOT NULL,
    uploaded_at timestamp without time zone NOT NULL,
    note character varying(400) NOT NULL,
    facts json NOT NULL
);
CREATE SEQUENCE public.versions_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.versions_id_seq OWNED BY public.versions.id;
CREATE TABLE public.workers (
    id character varying(32) NOT NULL,
    queues character varying(40) NOT NULL,
    beat integer NOT NULL
);
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
ALTER TABLE ONLY public.audit ALTER COLUMN id SET DEFAULT nextval('public.audit_id_seq'::regclass);
ALTER TABLE ONLY public.collections ALTER COLUMN id SET DEFAULT nextval('public.collections_id_seq'::regclass);
ALTER TABLE ONLY public.entries ALTER COLUMN id SET DEFAULT nextval('public.entries_id_seq'::regclass);
ALTER TABLE ONLY public.invitations ALTER COLUMN id SET DEFAULT nextval('public.invitations_id_seq'::regclass);
ALTER TABLE ONLY public.sound_changes ALTER COLUMN id SET DEFAULT nextval('public.sound_changes_id_seq'::regclass);
ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);
ALTER TABLE ONLY public.versions ALTER COLUMN id SET DEFAULT nextval('public.versions_id_seq'::regclass);
INSERT INTO public.accounts VALUES (1, 'ann', 'member', '2026-11-27 20:36:37.918104', NULL, NULL);
INSERT INTO public.accounts VALUES (2, 'ben', 'admin', '2026-11-27 20:36:37.938138', NULL, NULL);
INSERT INTO public.alembic_version VALUES ('0004');
INSERT INTO public.audit VALUES (1, '2026-11-27 20:36:38.147006', 'ann', 'profile.add', 'profile 1', '{"sha256": "b7bfbe69987a293bd837102e3996df2e511341b3db5d201b3541a99be1f8c06a"}', '', '');
INSERT INTO public.audit VALUES (2, '2026-11-27 20:36:38.222177', 'ann', 'profile.version', 'profile 1', '{"number": "2", "sha256": "3dfbdb1de62b5a8a264ccd2e956563f492700ca4700cd88ffc03b82a3a76206d"}', '', '');
INSERT INTO public.audit VALUES (3, '2026-11-27 20:36:38.290273', 'ben', 'profile.add', 'profile 2', '{"sha256": "ef611cb400ff468ffbc35db317f5423d0843600257251814518ea4a38122476f"}', '', '');
INSERT INTO public.audit VALUES (4, '2026-11-27 20:36:38.348282', 'ann', 'job.add', 'job c1595d2b22a98c94', '{"kind": "export"}', '', '');
INSERT INTO public.audit VALUES (5, '2026-11-27 20:36:39.670289', 'ann', 'job.add', 'job 4200f47a68b3418e', '{"kind": "train"}', '', '');
INSERT INTO public.collection_entries VALUES (1, 1);
INSERT INTO public.collection_entries VALUES (1, 2);
INSERT INTO public.collections VALUES (1, 1, 'Stage', 'for Friday', '2026-11-27 20:36:38.301219');
INSERT INTO public.entries VALUES (1, 'Plexi', 'plexi', 'amp', 'Marshall', '1959', 'Ann', 'an ünusual amp, "quoted" & <b>bold</b>', 'cc-by', 1, NULL, 0.0002258232970652288, 2, '2026-11-27 20:36:38.098669', '2026-11-27 20:36:38.209111');
INSERT INTO public.entries VALUES (2, 'Leveller', 'leveller', NULL, '', '', '', '', 'all-rights-reserved', 2, NULL, 0.0002258232970652288, 1, '2026-11-27 20:36:38.280227', '2026-11-27 20:36:38.280227');
INSERT INTO public.entry_tags VALUES (1, 'crunch');
INSERT INTO public.entry_tags VALUES (1, 'live');
INSERT INTO public.entry_tags VALUES (2, 'smooth');
INSERT INTO public.entry_words VALUES (1, '''1959'':3B ''amp'':6B,17C ''an'':15C ''ann'':9C ''b'':19C,21C ''bold'':20C ''bus'':4B ''compressor'':5B ''crunch'':7C ''db'':11C ''live'':8C ''marshall'':2B ''plexi'':1A ''quoted'':18C ''ratio'':13C,14C ''threshold'':10C,12C ''unusual'':16C ''x0afbddb88751849abdde'':22 ''x1ab44946e26894d82a3d'':34 ''x22183c5409e9605e963b'':25 ''x43b3f34837898fa2133d'':26 ''x5146f0bd95e4e04ed831'':24 ''x5e848595b320f071c223'':31 ''x615ae76b1675c1dd1fd8'':27 ''xa3686d0bab1769601b89'':29 ''xa3fdb8f411f2c7f42d94'':30 ''xa887c8745cb18414ba1f'':28 ''xc0547b3626924b561080'':33 ''xcee31435b77cb7bcfb58'':32 ''xf899d3dc59e6e9c21512'':23');
INSERT INTO public.entry_words VALUES (2, '''bus'':2B ''compressor'':3B ''db'':6C ''leveller'':1A ''ratio'':8C,9C ''smooth'':4C ''threshold'':5C,7C ''x199219d7ca73c5a60578'':17 ''x1ab44946e26894d82a3d'':20 ''x45abf7eee9950ac1ccd2'':10 ''x60352161b3c46f4c5777'':15 ''x615ae76b1675c1dd1fd8'':14 ''x97ba38dc4feac54cb2e6'':11 ''x9f320fcdd3fdfbd8d12e'':13 ''xa3686d0bab1769601b89'':16 ''xa7fa5d8b1405f31c6128'':12 ''xc0547b3626924b561080'':19 ''xcee31435b77cb7bcfb58'':18');
INSERT INTO public.favourites VALUES (2, 1);
INSERT INTO public.jobs VALUES ('c1595d2b22a98c94', 1, 'export', 'queued', 'Leveller', 'normal', 'cpu', '{"kind": "export", "profile_id": 2, "version": 1, "sha256": "ef611cb400ff468ffbc35db317f5423d0843600257251814518ea4a38122476f", "settings": {}, "sizes": ["full"]}', NULL, 0, NULL, 0, '', NULL, NULL, '[]', NULL, 1, NULL, 0, 1, '', '2026-11-27 20:36:38.346688', NULL, NULL, NULL, NULL);
INSERT INTO public.jobs VALUES ('4200f47a68b3418e', 1, 'train', 'running', 'Training', 'normal', 'cpu', '{"kind": "train", "budget_seconds": 300.0, "steps": null, "seed": 0, "light": true, "hold_out": [], "resource": "cpu", "version_of": null, "about": {"name": "", "gear": null, "make": "", "model": "", "maker": "", "tags": [], "about": "", "licence": "all-rights-reserved", "note": ""}}', 'f47ca5cb608cd3d0ef83fd95e6d118ef0451ceb787f5ef1cad6216b1b5fa5318', 45790, NULL, 0, '', NULL, NULL, '[]', NULL, 1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 0, 2, '', '2026-11-27 20:36:39.669159', '2026-11-27 20:36:39.687979', NULL, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc', 12345);
INSERT INTO public.sound_changes VALUES (1, 3);
INSERT INTO public.sounds VALUES (2, 2, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\x37b997b1a83e463991be549dfdb8c2306fbebd3388334d3e11351638f9bd8140aabf683c47b50cbb40b960b915360bafee3d52bf4f9a23bb353a3cc080b5ba32f0bde23bb831073cac3bd7bb62ba82b2fc39cf3aadb9dcb862baadb89db338b01e400db89fb45637a0bbe6b5d222313a44bd7c3da4b56c31c73a49393d3c8b3105a51035f7bbdb3c34ba0abd1d405eb0b7bc693f47b5403ca3baf6b3c1bea3bfd0bbffac623ada4021bc093cd6b8e2b0edbdeabd3abac6bc489b9fb9013de6304a318d3c2538c7a8ceadbeaf4f3c443adb35643a5bb81738a6bd643dc32dde31cc38f9a011b4c23c682f54bb0837d2be9f3e7ab1e02984404e40692f00395c3cba3e32b05430e63c5034093ae1388abcdfba48c129b45b3d70bcef3cff3b05abcb9f4d2de4ba84b4f6a9e538563af1b99b3a39ba68b1e935cda510b050346cb839b988b2b13b82ae9e3fdb32f3c108b7a93e801e01b7fdba4c3d033c6039da36c33d923aebbc263a6e310faf1b3a4427dec13b3e273cd9aff5b5413323bde7345eb3a6b563bb6eb96d3c573d0638d4a906bbbe39723e75beb23c55c071b5273676bd11bef131043b9bb7603d3dba043fb52f8833eb382335623f6a405e384db1b4bc09babc207cae97a92b1dee3767bd1abc7d3cb53a49b82e3d69b907b44dbfc73a7ba0473cad395e2e5031cf3cf4b08eb0222d8d3a813bbd3f8bab273d02b915391c31163f303985b6f7383d365bb4f8b32ebb9c41da31173c78bc26bca6ae5aaed13aa1bbb838433ee9baaf3b47bb5a36a136273f1eb90433613c7cbc56298eba36b9dc39023a4241b63d5c3d79af04b4f43174c0d23effb810bca3b6563b223d6ab5923789a5b2bb7c32922b07be853c2cbe2e3418bc4fba6bb9d539ecbc5eb14c3e66b9bba1793982b8e63725b9bd39152d5bbbb43d07ad38b445bb44b72badfe31743c37bd5cb5d83c4432c1366d3e9e35ad3719a71f3f403cacb97c388cbc653c', '');
INSERT INTO public.sounds VALUES (3, 3, 1, '[{"threshold_db": -10.0}, {"threshold_db": -20.0}]', '\x7539ceb049b626bf2b3a12afe4b4d43948b9aab888b968bdd24036b29cb5323b4dc242a8b820d0bb403712c0a3a0e33a83c0f7bdcdb289add5b947346a30dbbd2eb3a3bd6fc01fc1fc3a9db42c3f86be34b856310eb5433559a645baffc076bc3d3ede38e53ce4b969b514bc0a34b4ac2035883eb7bbe4381dbed73b85b83bb267231a3ee6b0f5b839bdf130d0bb00b9b6b06738b2ba6438993e72bef73c1140b2b9e637fabd0b3321b7ec3128bc8fbb93b8b5bafdb95bb5fcbc8ab47835e9c0e22a23bb14bdfdbd07bc3dbbde31b5bd073bddbb2b386c3b86bd5a3b164093b8773781b3eda266b4a4b83e39903a1fabdc3d2f3c513906ba7c3f2d3d59c086bcf9b75d3bea3cd9b47c337f3922bdac38ffb4c531a6aabcbcfabb28291e303ab4403cbeb5dfbc88b59cb132b0a73c1638383cff383fb1283c24b40434fdbbb42e21b507364a3fc1401a3ca2a5ab3a9a33ccb8f7aabab3c4b88f3d40b8ceb7b4397bb990bcbbbadf373036f43442b738bb593bbdbd67b240bd4ab673b0f83cb5c1873df2ba0135983af6b950ac1e387eaeb5b9cf325030e4bd8b3d1134c9c067ba013f7b3ed9349bbe85b2603cde36c0b499b9e83a92b1cd354138b93e2e33cd34fcbe9d3c723b002776c02eb87e2f48400e39af3ae53a823d62bc81ba93bce9b315b57030eebb133091ba4d40f4b72b41ad3eabbcec3b1e3906be1f39bcab103699ba27a81437e6b0a5b82ab0a1bbed3513c1263ecf2d03380f3bdfbc9d4062bce837a1355d3d04248ebd9535e5c0bab108b7563e2cb4eab6ecb9b9ba4eb8ec383abd47b2d1bdfbb09331e8bc86b8262f3a3aaa3bedaefebb82be423a993ddf35473e48b74cb64b3e0dbcd8382e36e530f23e10bbe5b633c036bc22b840b692b2c93460b9f5bfdc30c036acbc56ba123f203c5f3c6039ad301db897386cb21ab769a243ad243bbabb02410fbce5b6953bbebac6b7ed26f9c117b8c6bbfbb3033825390c3e', '');
INSERT INTO public.tag_labels VALUES (1, 2, 'live', false, '2026-11-27 20:36:38.321381');
INSERT INTO public.tokens VALUES (1, 1, '7f7db74eb6c0fb8b6345fb7ca946b79cc891e2bfbe4e5701d39b4ce15e8cde10', '2026-11-27 20:36:37.944279', 'laptop', 'read write', NULL, NULL, NULL);
INSERT INTO public.versions VALUES (1, 1, 1, 'b7bfbe69987a293bd837102e3996df2e511341b3db5d201b3541a99be1f8c06a', 45791, 1, '2026-11-27 20:36:38.098669', '', '{"name": "Plexi", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (2, 1, 2, '3dfbdb1de62b5a8a264ccd2e956563f492700ca4700cd88ffc03b82a3a76206d', 45797, 1, '2026-11-27 20:36:38.209111', 'longer', '{"name": "Plexi longer", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
INSERT INTO public.versions VALUES (3, 2, 1, 'ef611cb400ff468ffbc35db317f5423d0843600257251814518ea4a38122476f', 45793, 2, '2026-11-27 20:36:38.280227', '', '{"name": "Leveller", "gear": "bus-compressor", "kind": "plugin", "knobs": [{"id": "threshold_db", "name": "threshold", "unit": "dB", "minimum": -36.0, "maximum": 0.0, "default": -18.0, "scale": "linear", "step": null, "choices": []}, {"id": "ratio", "name": "ratio", "unit": "", "minimum": 1.5, "maximum": 8.0, "default": 3.0, "scale": "log", "step": null, "choices": []}], "sample_rate": 48000, "latency_frames": 0, "oversampling": 1, "esr": 0.0002258232970652288, "esr_median": 0.0006545225818303972, "esr_worst": 0.0010129225069412558, "floor": null, "grade": "transparent", "light_esr": null, "multiply_adds": 3858, "steps": 20303, "audio_seconds": 13860.9, "limited_by": "budget", "findings": []}');
SELECT pg_catalog.setval('public.accounts_id_seq', 2, true);
SELECT pg_catalog.setval('public.audit_id_seq', 5, true);
SELECT pg_catalog.setval('public.collections_id_seq', 1, true);
SELECT pg_catalog.setval('public.entries_id_seq', 2, true);
SELECT pg_catalog.setval('public.invitations_id_seq', 1, false);
SELECT pg_catalog.setval('public.sound_changes_id_seq', 1, false);
SELECT pg_catalog.setval('public.tokens_id_seq', 1, true);
SELECT pg_catalog.setval('public.versions_id_seq', 3, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.entry_words
    ADD CONSTRAINT entry_words_pkey PRIMARY KEY (entry_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (id);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT pk_audit PRIMARY KEY (id);
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT pk_collection_entries PRIMARY KEY (collection_id, entry_id);
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT pk_collections PRIMARY KEY (id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT pk_entries PRIMARY KEY (id);
ALTER TABLE ONLY public.entry_tags
    ADD CONSTRAINT pk_entry_tags PRIMARY KEY (entry_id, tag);
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT pk_favourites PRIMARY KEY (account_id, entry_id);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT pk_invitations PRIMARY KEY (id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY public.sound_changes
    ADD CONSTRAINT pk_sound_changes PRIMARY KEY (id);
ALTER TABLE ONLY public.sounds
    ADD CONSTRAINT pk_sounds PRIMARY KEY (version_id);
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT pk_tag_labels PRIMARY KEY (account_id, entry_id, tag);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT pk_versions PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT uq_accounts_name UNIQUE (name);
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT uq_collections_owner_id_name UNIQUE (owner_id, name);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT uq_entries_preset UNIQUE (preset);
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT uq_invitations_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT uq_tokens_sha256 UNIQUE (sha256);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT uq_versions_entry_id_number UNIQUE (entry_id, number);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT uq_versions_sha256 UNIQUE (sha256);
CREATE INDEX ix_collection_entries_entry_id ON public.collection_entries USING btree (entry_id);
CREATE INDEX ix_entries_esr_id ON public.entries USING btree (esr, id);
CREATE INDEX ix_entries_make ON public.entries USING btree (make);
CREATE INDEX ix_entries_name_key_id ON public.entries USING btree (name_key, id);
CREATE INDEX ix_entries_owner_id ON public.entries USING btree (owner_id);
CREATE INDEX ix_entries_updated_at_id ON public.entries USING btree (updated_at, id);
CREATE INDEX ix_entry_tags_tag ON public.entry_tags USING btree (tag);
CREATE INDEX ix_entry_words_words ON public.entry_words USING gin (words) WITH (fastupdate=off);
CREATE INDEX ix_favourites_entry_id ON public.favourites USING btree (entry_id);
CREATE INDEX ix_invitations_account_id ON public.invitations USING btree (account_id);
CREATE INDEX ix_jobs_checkpoint_sha256 ON public.jobs USING btree (checkpoint_sha256);
CREATE INDEX ix_jobs_created_at ON public.jobs USING btree (created_at);
CREATE INDEX ix_jobs_entry_id ON public.jobs USING btree (entry_id);
CREATE INDEX ix_jobs_material_sha256 ON public.jobs USING btree (material_sha256);
CREATE INDEX ix_jobs_owner_id ON public.jobs USING btree (owner_id);
CREATE INDEX ix_jobs_result_sha256 ON public.jobs USING btree (result_sha256);
CREATE INDEX ix_jobs_state ON public.jobs USING btree (state);
CREATE INDEX ix_sounds_change ON public.sounds USING btree (change);
CREATE INDEX ix_tag_labels_entry_id ON public.tag_labels USING btree (entry_id);
CREATE INDEX ix_tokens_account_id ON public.tokens USING btree (account_id);
CREATE INDEX ix_versions_uploader_id ON public.versions USING btree (uploader_id);
ALTER TABLE ONLY public.entry_words
    ADD CONSTRAINT entry_words_entry_id_fkey FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT fk_collection_entries_collection_id FOREIGN KEY (collection_id) REFERENCES public.collections(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collection_entries
    ADD CONSTRAINT fk_collection_entries_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.collections
    ADD CONSTRAINT fk_collections_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.entries
    ADD CONSTRAINT fk_entries_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.entry_tags
    ADD CONSTRAINT fk_entry_tags_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT fk_favourites_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.favourites
    ADD CONSTRAINT fk_favourites_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT fk_invitations_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT fk_jobs_owner_id FOREIGN KEY (owner_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.sounds
    ADD CONSTRAINT fk_sounds_version_id FOREIGN KEY (version_id) REFERENCES public.versions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT fk_tag_labels_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tag_labels
    ADD CONSTRAINT fk_tag_labels_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT fk_tokens_account_id FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_entry_id FOREIGN KEY (entry_id) REFERENCES public.entries(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.versions
    ADD CONSTRAINT fk_versions_uploader_id FOREIGN KEY (uploader_id) REFERENCES public.accounts(id);
