CREATE TABLE "person" (
	"user_id" text PRIMARY KEY NOT NULL,
	"notices" boolean DEFAULT true NOT NULL,
	"updated_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
