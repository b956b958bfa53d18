ALTER TABLE "actor" ADD COLUMN "has_tasks" boolean GENERATED ALWAYS AS (state -> 'tasks' <> '{}'::jsonb) STORED;--> statement-breakpoint
ALTER TABLE "dead_letter" ADD COLUMN "settled_how" text;--> statement-breakpoint
ALTER TABLE "lease" ADD COLUMN "program" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "lease" ADD COLUMN "charts" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "thread" ADD COLUMN "pruned_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "actor_tasks" ON "actor" USING btree ("id") WHERE status = 'active' and has_tasks;--> statement-breakpoint
CREATE INDEX "actor_version" ON "actor" USING btree ("kind","version") WHERE status = 'active';--> statement-breakpoint
CREATE INDEX "dead_letter_at" ON "dead_letter" USING btree ("at");--> statement-breakpoint
CREATE INDEX "dead_letter_settled" ON "dead_letter" USING btree ("settled_at") WHERE settled_at is not null;