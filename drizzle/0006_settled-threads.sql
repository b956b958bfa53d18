ALTER TABLE "thread" ADD COLUMN "settled" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
-- What is shown already stays as it is.
UPDATE "thread" SET "settled" = coalesce((SELECT max("id") FROM "transcript" WHERE "session" = "thread"."session" AND "kind" = 'turnEnded'), 0)
WHERE "dirty" <= "clean";
