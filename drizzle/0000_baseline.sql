CREATE TABLE "actor" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"version" integer NOT NULL,
	"rev" bigint NOT NULL,
	"term" bigint NOT NULL,
	"commit_id" uuid NOT NULL,
	"status" text NOT NULL,
	"parent" text,
	"wake_at" timestamp (3) with time zone,
	"state" jsonb NOT NULL,
	"failures" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"action" text NOT NULL,
	"who" text NOT NULL,
	"subject" text NOT NULL,
	"detail" jsonb NOT NULL,
	"prev_hash" text NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "chat_cursor" (
	"channel_id" text PRIMARY KEY NOT NULL,
	"read_up_to" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "chat_post" (
	"key" text PRIMARY KEY NOT NULL,
	"session" text NOT NULL,
	"channel_id" text NOT NULL,
	"root_id" text NOT NULL,
	"post_id" text,
	"content_hash" text,
	"state" text NOT NULL,
	"attempt_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dead_letter" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"actor_id" text NOT NULL,
	"reason" text NOT NULL,
	"event" jsonb NOT NULL,
	"dedup_key" text NOT NULL,
	"cause" text,
	"error" text,
	"at" timestamp (3) with time zone NOT NULL,
	"settled_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "effect" (
	"key" text PRIMARY KEY NOT NULL,
	"seq" bigserial NOT NULL,
	"actor_id" text NOT NULL,
	"kind" text NOT NULL,
	"params" jsonb NOT NULL,
	"reply" jsonb,
	"order_key" text,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"term" bigint NOT NULL,
	"run_at" timestamp (3) with time zone NOT NULL,
	"deadline" timestamp (3) with time zone NOT NULL,
	"error" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"done_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"actor_id" text NOT NULL,
	"dedup_key" text NOT NULL,
	"event" jsonb NOT NULL,
	"cause" text,
	"task_key" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"term" bigint,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"done_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "journal" (
	"actor_id" text NOT NULL,
	"rev" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"event" jsonb NOT NULL,
	"cause" text,
	"value" jsonb NOT NULL,
	"context" jsonb NOT NULL,
	"effects" jsonb NOT NULL,
	"version" integer NOT NULL,
	CONSTRAINT "journal_actor_id_rev_pk" PRIMARY KEY("actor_id","rev")
);
--> statement-breakpoint
CREATE TABLE "lease" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"term" bigint NOT NULL,
	"taken_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"holder" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "network_grant" (
	"id" text PRIMARY KEY NOT NULL,
	"approval" text NOT NULL,
	"session" text NOT NULL,
	"host" text NOT NULL,
	"scope" text NOT NULL,
	"opened_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "project_channel" (
	"repo" text PRIMARY KEY NOT NULL,
	"channel_id" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "thread" (
	"session" text PRIMARY KEY NOT NULL,
	"root_id" text,
	"channel_id" text,
	"dirty" bigint DEFAULT 0 NOT NULL,
	"clean" bigint DEFAULT 0 NOT NULL,
	"bound_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "transcript" (
	"session" text NOT NULL,
	"log_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"first_seq" bigint NOT NULL,
	"id" bigserial NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"kind" text NOT NULL,
	"body" jsonb NOT NULL,
	CONSTRAINT "transcript_session_log_id_seq_pk" PRIMARY KEY("session","log_id","seq")
);
--> statement-breakpoint
CREATE INDEX "actor_kind_status" ON "actor" USING btree ("kind","status");--> statement-breakpoint
CREATE INDEX "actor_wake_at" ON "actor" USING btree ("wake_at") WHERE status = 'active' and wake_at is not null;--> statement-breakpoint
CREATE INDEX "actor_parent" ON "actor" USING btree ("parent");--> statement-breakpoint
CREATE UNIQUE INDEX "audit_log_key" ON "audit_log" USING btree ("key");--> statement-breakpoint
CREATE UNIQUE INDEX "audit_log_prev_hash" ON "audit_log" USING btree ("prev_hash");--> statement-breakpoint
CREATE INDEX "audit_log_at" ON "audit_log" USING btree ("at");--> statement-breakpoint
CREATE INDEX "chat_post_session" ON "chat_post" USING btree ("session");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_post_post_id" ON "chat_post" USING btree ("post_id");--> statement-breakpoint
CREATE INDEX "dead_letter_actor" ON "dead_letter" USING btree ("actor_id","id");--> statement-breakpoint
CREATE INDEX "dead_letter_key" ON "dead_letter" USING btree ("dedup_key");--> statement-breakpoint
CREATE INDEX "effect_pending" ON "effect" USING btree ("term","seq") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "effect_actor" ON "effect" USING btree ("actor_id","seq");--> statement-breakpoint
CREATE INDEX "effect_done" ON "effect" USING btree ("done_at") WHERE done_at is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "inbox_dedup_key" ON "inbox" USING btree ("dedup_key");--> statement-breakpoint
CREATE INDEX "inbox_pending" ON "inbox" USING btree ("actor_id","seq") WHERE done_at is null;--> statement-breakpoint
CREATE INDEX "inbox_done" ON "inbox" USING btree ("done_at") WHERE done_at is not null;--> statement-breakpoint
CREATE INDEX "journal_at" ON "journal" USING btree ("at");--> statement-breakpoint
CREATE INDEX "network_grant_session" ON "network_grant" USING btree ("session");--> statement-breakpoint
CREATE UNIQUE INDEX "thread_root_id" ON "thread" USING btree ("root_id");--> statement-breakpoint
CREATE INDEX "thread_channel" ON "thread" USING btree ("channel_id");--> statement-breakpoint
CREATE INDEX "thread_dirty" ON "thread" USING btree ("session") WHERE dirty > clean;--> statement-breakpoint
CREATE INDEX "transcript_order" ON "transcript" USING btree ("session","id");--> statement-breakpoint
CREATE VIEW "public"."containers" AS (
  select id, status, state->'snapshot'->'value' as value, state->'snapshot'->'context' as context, rev, wake_at, updated_at
  from actor where kind = 'container');--> statement-breakpoint
CREATE VIEW "public"."pending_requests" AS (
  select id, status, state->'snapshot'->'value' as value, state->'snapshot'->'context' as context, rev, wake_at, updated_at
  from actor where kind = 'approval' and status = 'active'
    and state->'snapshot'->>'value' in ('checking', 'posting', 'pending', 'applying', 'verifying', 'failed'));--> statement-breakpoint
CREATE VIEW "public"."sessions" AS (
  select id, status, state->'snapshot'->'value' as value, state->'snapshot'->'context' as context, rev, wake_at, updated_at
  from actor where kind = 'session');